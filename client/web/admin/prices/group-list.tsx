import { useQuery } from '@tanstack/react-query';
import { Link } from 'wouter';
import { formatDate } from '../../format/duration.ts';
import { formatCount, formatPercent } from '../../format/number.ts';
import { Awaited, Empty } from '../parts/page.tsx';
import { useStaff } from '../session/staff.ts';
import { words } from '../texts/texts.ts';

export function useGroups() {
  const { api } = useStaff();
  return useQuery({ queryKey: ['groups'], queryFn: () => api.admin.group.list.query() });
}

export function GroupList() {
  const { may } = useStaff();
  const text = words.prices;
  const groups = useGroups();
  const create = may('admin') && (
    <Link href="/prices/groups/new" className="button">
      {text.newGroup}
    </Link>
  );
  const items = groups.data?.items;
  return (
    <>
      <div className="page-head">
        <div>
          <h2 id="groups-title">{text.groups}</h2>
          <p className="hint lead">
            {text.groupsHint} <Link href="/log?what=admin.group">{text.groupLog}</Link>
          </p>
        </div>
        {create}
      </div>
      {!items && <Awaited query={groups} />}
      {items?.length === 0 && <Empty title={text.noGroups} hint={text.noGroupsHint} />}
      {items && items.length > 0 && (
        <div className="sheet">
          <table className="table">
            <thead>
              <tr>
                <th scope="col">{text.group}</th>
                <th scope="col" className="is-number">
                  {text.percent}
                </th>
                <th scope="col" className="is-number">
                  {text.ownPrices}
                </th>
                <th scope="col">{text.changed}</th>
              </tr>
            </thead>
            <tbody>
              {items.map(({ group, title, percent, prices, updatedAtMs }) => (
                <tr key={group}>
                  <th scope="row">
                    <Link href={`/prices/groups/${group}`}>{title ?? group}</Link>
                    {title !== undefined && (
                      <span className="under">
                        <code>{group}</code>
                      </span>
                    )}
                  </th>
                  <td data-name={text.percent} className="is-number figures">
                    {percent === undefined ? words.none : formatPercent(percent)}
                  </td>
                  <td data-name={text.ownPrices} className="is-number figures">
                    {formatCount(prices.length)}
                  </td>
                  <td data-name={text.changed}>{formatDate(updatedAtMs)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}
