import { useId, useState } from 'react';
import type { SearchAnswer } from '../engine/types.ts';
import { Page } from '../frame/page.tsx';
import { ProductCard } from '../products/product-card.tsx';
import { texts } from '../texts/texts.ts';
import { FacetList } from './facet-list.tsx';
import { PriceRange } from './price-range.tsx';
import { filtersCount, pageCountMax, sorts, type Question } from './question.ts';
import { SearchBox } from './search-box.tsx';
import { useAnswer } from './use-answer.ts';
import { type Ask, useQuestion } from './use-question.ts';

/** The whole catalog, found as one types. All that is asked stands in the address. */
export function SearchPage() {
  const [question, ask] = useQuestion();
  const { answer, isAsking, hasFailed, askAgain } = useAnswer(question);
  const sortId = useId();
  return (
    <Page title={texts.products.title} className="search-page">
      <div className="search-head">
        <h1 className="visually-hidden">{texts.products.title}</h1>
        <search>
          <SearchBox question={question} ask={ask} />
        </search>
        <div className="search-sort">
          <label htmlFor={sortId}>{texts.products.sort}</label>
          <select
            id={sortId}
            value={question.sort}
            onChange={event => {
              const sort = sorts.find(each => each === event.target.value);
              if (sort) ask({ sort });
            }}
          >
            {sorts.map(sort => (
              <option key={sort} value={sort}>
                {texts.products.sorts[sort]}
              </option>
            ))}
          </select>
        </div>
      </div>
      <Filters question={question} ask={ask} answer={answer} />
      <div className="search-found">
        <p className="hint search-count" role="status">
          {hasFailed ? texts.products.failed : answer && foundText(answer, question)}
        </p>
        {answer?.degraded && <p className="notice">{texts.products.degraded}</p>}
        {hasFailed && (
          <button type="button" className="button button-quiet" onClick={askAgain}>
            {texts.frame.tryAgain}
          </button>
        )}
        {answer?.total === 0 && filtersCount(question) > 0 && <ClearButton ask={ask} />}
        <ul className="catalog-grid" aria-busy={isAsking}>
          {answer?.hits.map(hit => (
            <ProductCard key={hit.id} hit={hit} />
          ))}
          {!answer && !hasFailed && <Coming />}
        </ul>
        {answer && answer.total > answer.hits.length && question.perPage < pageCountMax && (
          <button
            type="button"
            className="button button-quiet catalog-more"
            disabled={isAsking}
            onClick={() => ask({ perPage: Math.min(pageCountMax, question.perPage * 2) })}
          >
            {texts.products.more}
          </button>
        )}
      </div>
    </Page>
  );
}

function Filters({ question, ask, answer }: { question: Question; ask: Ask; answer: SearchAnswer | null }) {
  const count = filtersCount(question);
  const currency = answer?.facets.price.stats?.currency ?? answer?.hits[0]?.price.currency;
  // On a desk they stand beside what was found; on a phone they are unfolded.
  const [isOpen, setIsOpen] = useState(() => window.matchMedia('(min-width: 60rem)').matches);
  return (
    <details className="search-filters" open={isOpen} onToggle={event => setIsOpen(event.currentTarget.open)}>
      <summary>{count === 0 ? texts.products.filters : texts.products.filtersSet(count)}</summary>
      <div className="search-facets">
        <label className="check">
          <input
            type="checkbox"
            checked={question.inStock}
            onChange={event => ask({ inStock: event.target.checked })}
          />
          <span>{texts.products.inStock}</span>
        </label>
        <FacetList
          label={texts.products.category}
          values={answer?.facets.category ?? []}
          chosen={question.categories}
          onChange={categories => ask({ categories })}
        />
        <FacetList
          label={texts.products.brand}
          values={answer?.facets.brand ?? []}
          chosen={question.brands}
          onChange={brands => ask({ brands })}
        />
        {currency !== undefined && (
          <PriceRange
            currency={currency}
            least={answer?.facets.price.stats?.min}
            most={answer?.facets.price.stats?.max}
            range={question}
            onChange={ask}
          />
        )}
        {count > 0 && <ClearButton ask={ask} />}
      </div>
    </details>
  );
}

function ClearButton({ ask }: { ask: Ask }) {
  return (
    <button
      type="button"
      className="button button-quiet"
      onClick={() => ask({ brands: [], categories: [], priceMin: null, priceMax: null, inStock: false })}
    >
      {texts.products.clear}
    </button>
  );
}

function foundText({ total }: SearchAnswer, question: Question): string {
  if (total > 0) return texts.products.found(total);
  const isFiltered = question.q.trim() !== '' || filtersCount(question) > 0;
  return isFiltered ? texts.products.none(question.q) : texts.products.empty;
}

const comingCount = 12;

/** Holds the place of what is on its way. */
function Coming() {
  return Array.from({ length: comingCount }, (_, place) => (
    <li key={place} className="product-card product-card-coming" aria-hidden="true" />
  ));
}
