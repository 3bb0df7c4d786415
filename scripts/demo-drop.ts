// Makes sure that a fresh installation has something to show: a catalog, and a drop that opens shortly.

export type DemoDrop = { dropId: string; opensAtMs: number };

export async function prepareDemo(_options: { url: string; adminKey: string }): Promise<DemoDrop> {
  throw new Error('there is no demo drop yet');
}
