const NAMED = 'configuration (TOLLKEEPER_CONFIG, default ./tollkeeper.yaml';

/** What `--config` says of itself: every command but `up` looks at the demo where there is no file. */
export const CONFIG_OPTION = `${NAMED}, else the demo)`;
export const OWN_CONFIG_OPTION = `${NAMED})`;
