import { useState } from 'react';
import { texts } from '../texts/texts.ts';
import { FacetList } from './facet-list.tsx';
import { ProductCard } from './product-card.tsx';
import { useSearch, type Question } from './use-search.ts';

const pageCount = 12;
/** The engine's own bound for one answer. */
const mostCount = 96;

/** The shop's products, found as one types. */
export function Catalog() {
  const [question, setQuestion] = useState<Question>({
    q: '',
    brand: null,
    category: null,
    perPage: pageCount,
  });
  const search = useSearch(question);
  const answer = search.kind === 'answered' ? search.answer : search.kind === 'asking' ? search.last : null;
  const ask = (change: Partial<Question>) => setQuestion({ ...question, perPage: pageCount, ...change });
  const isFiltered = question.q.trim() !== '' || question.brand !== null || question.category !== null;
  return (
    <section className="catalog" aria-labelledby="catalog-title">
      <div className="catalog-head">
        <h2 id="catalog-title">{texts.products.title}</h2>
        <search>
          <input
            type="search"
            aria-label={texts.products.search}
            placeholder={texts.products.placeholder}
            autoComplete="off"
            maxLength={200}
            value={question.q}
            onChange={event => ask({ q: event.target.value })}
          />
        </search>
      </div>
      {answer && (
        <div className="catalog-facets">
          <FacetList
            label={texts.products.category}
            values={answer.facets.category}
            chosen={question.category}
            onChoose={category => ask({ category })}
          />
          <FacetList
            label={texts.products.brand}
            values={answer.facets.brand}
            chosen={question.brand}
            onChoose={brand => ask({ brand })}
          />
        </div>
      )}
      <p className="hint catalog-found" aria-live="polite">
        {search.kind === 'failed' && texts.products.failed}
        {answer &&
          (answer.total > 0 || !isFiltered) &&
          answer.total > 0 &&
          texts.products.found(answer.total)}
        {answer?.total === 0 && (isFiltered ? texts.products.none(question.q) : texts.products.empty)}
        {answer?.degraded && ` ${texts.products.degraded}`}
      </p>
      {answer && (
        <ul className="catalog-grid" aria-busy={search.kind === 'asking'}>
          {answer.hits.map(hit => (
            <ProductCard key={hit.id} hit={hit} />
          ))}
        </ul>
      )}
      {answer && answer.total > answer.hits.length && question.perPage < mostCount && (
        <button
          type="button"
          className="button button-quiet catalog-more"
          onClick={() => setQuestion({ ...question, perPage: question.perPage * 2 })}
        >
          {texts.products.more}
        </button>
      )}
    </section>
  );
}
