// What a `select` of a drop offers: all of them, or one by its name.
import { useQuery } from '@tanstack/react-query';
import { useStaff } from '../session/staff.ts';
import { words } from '../texts/texts.ts';
import { listDropNames } from './drop-names.ts';

/** `chosen` is offered by its id where it has no name here: it is older than those listed, or they are not there yet. */
export function DropOptions({ chosen = '' }: { chosen?: string }) {
  const { api } = useStaff();
  const { data: names = [] } = useQuery({
    queryKey: ['drops', 'names'],
    queryFn: () => listDropNames(input => api.admin.drop.list.query(input)),
  });
  return (
    <>
      <option value="">{words.orders.allDrops}</option>
      {names.map(({ dropId, title }) => (
        <option key={dropId} value={dropId}>
          {title}
        </option>
      ))}
      {chosen && !names.some(({ dropId }) => dropId === chosen) && <option value={chosen}>{chosen}</option>}
    </>
  );
}
