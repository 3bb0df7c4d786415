import { texts } from '../texts/texts.ts';

/** The numbers of what was bought: each unit of a drop has one of its own. */
export function SerialList(props: {
  serials: readonly { sku: string; serial: number }[];
  items: readonly { sku: string; title: string; total: number }[];
}) {
  const { serials, items } = props;
  return (
    <ul className="order-serials">
      {serials.map(({ sku, serial }) => {
        const item = items.find(candidate => candidate.sku === sku);
        return (
          <li key={`${sku}/${serial}`}>
            <span>{item?.title ?? sku}</span>
            <strong className="figures">{texts.order.serial(serial, item?.total ?? serial)}</strong>
          </li>
        );
      })}
    </ul>
  );
}
