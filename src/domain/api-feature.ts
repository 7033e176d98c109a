/** The feature that stands for an API in plans; names in the file have no colon, so nothing else is called so. */
export function apiFeature(apiId: string): string {
  return `api:${apiId}`;
}
