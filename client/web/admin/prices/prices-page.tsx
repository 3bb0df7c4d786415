// The terms beside the catalog's own prices: what some pay less, the codes that make a cart cheaper, and what one currency
// is worth in another.
import { useStaff } from '../session/staff.ts';
import { Page } from '../parts/page.tsx';
import { words } from '../texts/texts.ts';
import { CouponList } from './coupon-list.tsx';
import { GroupList } from './group-list.tsx';
import { Membership } from './membership.tsx';
import { RateList } from './rate-list.tsx';

export function PricesPage() {
  const { may } = useStaff();
  return (
    <Page title={words.prices.title}>
      <section className="part" aria-labelledby="groups-title">
        <GroupList />
      </section>
      {may('operator') && (
        <section className="part" aria-labelledby="membership-title">
          <Membership />
        </section>
      )}
      <section className="part" aria-labelledby="coupons-title">
        <CouponList />
      </section>
      <section className="part" aria-labelledby="rates-title">
        <RateList />
      </section>
    </Page>
  );
}
