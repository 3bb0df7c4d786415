import { useQuery } from '@tanstack/react-query';
import { Link } from 'wouter';
import { useEngine } from '../engine/engine-context.ts';
import { ProductCard } from '../products/product-card.tsx';
import { texts } from '../texts/texts.ts';

const shownCount = 8;

/** What is asked for most, and the way to all of it. */
export function CatalogGlance() {
  const { api } = useEngine();
  const { data, isError } = useQuery({
    queryKey: ['glance'],
    queryFn: ({ signal }) =>
      api.search.products.query({ q: '', sort: 'popularity', perPage: shownCount }, { signal }),
    staleTime: 60_000,
  });
  const isAway = isError && !data;
  return (
    <section className="glance" aria-labelledby="glance-title">
      <div className="glance-head">
        <h2 id="glance-title">{texts.products.title}</h2>
        <Link href="/search">{texts.products.seeAll}</Link>
      </div>
      {isAway && <p className="hint">{texts.products.failed}</p>}
      <ul className="catalog-grid" aria-busy={!data && !isAway}>
        {data
          ? data.hits.map(hit => <ProductCard key={hit.id} hit={hit} />)
          : !isAway &&
            Array.from({ length: shownCount }, (_, place) => (
              <li key={place} className="product-card product-card-coming" aria-hidden="true" />
            ))}
      </ul>
    </section>
  );
}
