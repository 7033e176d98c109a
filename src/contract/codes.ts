/** Filled by the registry: see DESIGN 3. */
export type RetryKind = 'never_until_action' | 'after_reset' | 'when_slot_free' | 'with_proof' | 'transient';
