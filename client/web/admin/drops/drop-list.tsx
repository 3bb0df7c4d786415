import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from 'wouter';
import { formatMoment } from '../../format/duration.ts';
import { formatCount } from '../../format/number.ts';
import { Empty, Failed, Loading, More, Page } from '../parts/page.tsx';
import { DropTag } from '../parts/state-tag.tsx';
import { useStaff } from '../session/staff.ts';
import { words } from '../texts/texts.ts';

/** A list of what runs is looked at again by itself. */
const lookAgainMs = 5_000;

export function DropList() {
  const { api, may } = useStaff();
  const drops = useInfiniteQuery({
    queryKey: ['drops'],
    queryFn: ({ pageParam }) =>
      api.admin.drop.list.query({ limit: 50, ...(pageParam ? { cursor: pageParam } : {}) }),
    initialPageParam: '',
    getNextPageParam: page => page.nextCursor,
    refetchInterval: lookAgainMs,
  });
  const items = drops.data?.pages.flatMap(page => page.items) ?? [];
  const create = may('admin') && (
    <Link href="/drops/new" className="button">
      {words.drops.create}
    </Link>
  );
  return (
    <Page title={words.drops.title} acts={create}>
      {drops.isPending && <Loading />}
      {drops.isError && <Failed error={drops.error} onAgain={() => void drops.refetch()} />}
      {drops.isSuccess && items.length === 0 && (
        <Empty title={words.drops.empty} hint={words.drops.emptyHint}>
          {create}
        </Empty>
      )}
      {items.length > 0 && (
        <div className="sheet">
          <table className="table">
            <thead>
              <tr>
                <th scope="col">{words.drops.name}</th>
                <th scope="col">{words.drops.state}</th>
                <th scope="col">{words.drops.opens}</th>
                <th scope="col" className="is-number">
                  {words.drops.stock}
                </th>
                <th scope="col" className="is-number">
                  {words.drops.rate}
                </th>
              </tr>
            </thead>
            <tbody>
              {items.map(drop => {
                const sold = drop.items.reduce((sum, item) => sum + (item.sold ?? 0), 0);
                const total = drop.items.reduce((sum, item) => sum + item.total - item.withdrawn, 0);
                return (
                  <tr key={drop.dropId}>
                    <th scope="row">
                      <Link href={`/drops/${drop.dropId}`}>{drop.title}</Link>
                    </th>
                    <td data-name={words.drops.state}>
                      <DropTag state={drop.state} />
                    </td>
                    <td data-name={words.drops.opens}>{formatMoment(drop.opensAtMs)}</td>
                    <td data-name={words.drops.stock} className="is-number">
                      {words.drops.soldOf(sold, total)}
                    </td>
                    <td data-name={words.drops.rate} className="is-number">
                      {formatCount(drop.ratePerSec * 60)}
                    </td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      )}
      <More query={drops} />
    </Page>
  );
}
