// The drops by name, for a list to choose one from.

interface DropName {
  readonly dropId: string;
  readonly title: string;
}

interface Page {
  readonly items: readonly DropName[];
  readonly nextCursor?: string | undefined;
}

/** A page is at most this long (`drop.list`). */
const pageSize = 100;
/** Nobody scrolls through more names than ten pages hold, and each page is a request. */
const pagesMax = 10;

/** The newest first, page by page, up to a thousand. */
export async function listDropNames(
  list: (input: { limit: number; cursor?: string }) => Promise<Page>,
): Promise<DropName[]> {
  const names: DropName[] = [];
  let cursor: string | undefined;
  for (let pages = 0; pages < pagesMax; pages += 1) {
    const page = await list({ limit: pageSize, ...(cursor === undefined ? {} : { cursor }) });
    names.push(...page.items.map(({ dropId, title }) => ({ dropId, title })));
    cursor = page.nextCursor;
    if (cursor === undefined) break;
  }
  return names;
}
