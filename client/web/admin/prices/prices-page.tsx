// What some pay less, and what one currency is worth in another: the terms beside the catalog's own prices.
import { Link } from 'wouter';
import { useStaff } from '../session/staff.ts';
import { Page } from '../parts/page.tsx';
import { words } from '../texts/texts.ts';
import { GroupList } from './group-list.tsx';
import { Membership } from './membership.tsx';
import { RateList } from './rate-list.tsx';

export function PricesPage() {
  const { may } = useStaff();
  const text = words.prices;
  return (
    <Page
      title={text.title}
      acts={
        <>
          <Link href="/log?what=admin.group" className="button button-quiet">
            {text.groupLog}
          </Link>
          <Link href="/log?what=admin.rate" className="button button-quiet">
            {text.rateLog}
          </Link>
        </>
      }
    >
      <section className="part" aria-labelledby="groups-title">
        <GroupList />
      </section>
      {may('operator') && (
        <section className="part" aria-labelledby="membership-title">
          <Membership />
        </section>
      )}
      <section className="part" aria-labelledby="rates-title">
        <RateList />
      </section>
    </Page>
  );
}
