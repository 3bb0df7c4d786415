// The box that the catalog is searched by, and what the text in it could become: an editable combobox with a list, as
// the ARIA Authoring Practices describe it. The focus stays in the box; the list says which of it is chosen. What opens
// and changes is told by these roles alone, so that nothing is read aloud that was not asked for. Ours, because the
// library's own puts style elements into the page, which the pages' content policy refuses.
import { type KeyboardEvent, useEffect, useId, useRef, useState } from 'react';
import { useLocation } from 'wouter';
import type { Suggestion } from '../engine/types.ts';
import { texts } from '../texts/texts.ts';
import type { Question } from './question.ts';
import type { Ask } from './use-question.ts';
import { useSuggestions } from './use-suggestions.ts';

export function SearchBox({ question, ask }: { question: Question; ask: Ask }) {
  const [typed, type] = useTyped(question.q, ask);
  const [isOpen, setIsOpen] = useState(false);
  const [chosenKey, setChosenKey] = useState<string | null>(null);
  const [, navigate] = useLocation();
  const box = useRef<HTMLInputElement>(null);
  const listId = useId();
  const wanted = isOpen ? typed : '';
  const suggestions = useSuggestions(wanted);
  const isShown = wanted.trim() !== '' && suggestions.length > 0;
  const chosen = isShown ? suggestions.findIndex(each => keyOf(each) === chosenKey) : -1;
  const optionId = (place: number) => `${listId}-${place}`;

  useEffect(() => {
    if (chosen >= 0) document.getElementById(`${listId}-${chosen}`)?.scrollIntoView({ block: 'nearest' });
  }, [chosen, listId]);

  const open = (next: boolean) => {
    setIsOpen(next);
    setChosenKey(null);
  };
  const pick = (suggestion: Suggestion) => {
    open(false);
    switch (suggestion.kind) {
      case 'query':
        return ask({ q: suggestion.text });
      case 'brand':
        return ask({ q: '', brands: [suggestion.text] });
      case 'category':
        return ask({ q: '', categories: [suggestion.text] });
      case 'product':
        return navigate(`/products/${encodeURIComponent(suggestion.productId)}`);
    }
  };
  /** Round through the list and the box itself, which stands for what was typed. */
  const move = (by: 1 | -1) => {
    const placesCount = suggestions.length + 1;
    const next = suggestions[((chosen + 1 + by + placesCount) % placesCount) - 1];
    setChosenKey(next ? keyOf(next) : null);
  };

  const onKeyDown = (event: KeyboardEvent) => {
    // A key that ends a composition, as of Chinese or Japanese, is the composition's.
    if (event.nativeEvent.isComposing) return;
    const suggestion = suggestions[chosen];
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      if (isShown) move(event.key === 'ArrowDown' ? 1 : -1);
      else open(true);
    } else if (event.key === 'Enter') {
      if (suggestion) pick(suggestion);
      else open(false);
    } else if (event.key === 'Escape' && isShown) open(false);
    else if (event.key === 'Escape') type('');
    else return;
    event.preventDefault();
  };

  return (
    <div className="search-box">
      <input
        ref={box}
        type="text"
        inputMode="search"
        role="combobox"
        aria-label={texts.products.search}
        aria-autocomplete="list"
        aria-expanded={isShown}
        aria-controls={isShown ? listId : undefined}
        aria-activedescendant={chosen >= 0 ? optionId(chosen) : undefined}
        placeholder={texts.products.placeholder}
        autoComplete="off"
        autoCapitalize="off"
        spellCheck={false}
        enterKeyHint="search"
        maxLength={200}
        value={typed}
        onChange={event => {
          open(true);
          type(event.target.value);
        }}
        onKeyDown={onKeyDown}
        onBlur={() => open(false)}
      />
      {typed !== '' && (
        <button
          type="button"
          className="search-clear"
          aria-label={texts.products.clearSearch}
          onClick={() => {
            type('');
            box.current?.focus();
          }}
        >
          <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
            <path d="M4 4l8 8M12 4l-8 8" stroke="currentColor" strokeWidth="1.8" strokeLinecap="round" />
          </svg>
        </button>
      )}
      {isShown && (
        // Pressing on the list leaves the focus in the box: it would close before it was clicked on.
        <ul
          id={listId}
          role="listbox"
          aria-label={texts.products.suggestions}
          className="search-suggestions"
          onMouseDown={event => event.preventDefault()}
        >
          {suggestions.map((suggestion, place) => (
            <li
              key={keyOf(suggestion)}
              id={optionId(place)}
              role="option"
              aria-selected={place === chosen}
              onClick={() => pick(suggestion)}
            >
              <span>{suggestion.text}</span>{' '}
              <span className="hint">{texts.products.kinds[suggestion.kind]}</span>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function keyOf(suggestion: Suggestion): string {
  return `${suggestion.kind}/${suggestion.kind === 'product' ? suggestion.productId : suggestion.text}`;
}

/** What is typed is shown at once, whatever the address does meanwhile; it follows the address when that is changed. */
function useTyped(q: string, ask: Ask): [string, (text: string) => void] {
  const [typed, setTyped] = useState(q);
  const [known, setKnown] = useState(q);
  if (known !== q) {
    setKnown(q);
    setTyped(q);
  }
  const type = (text: string) => {
    setTyped(text);
    setKnown(text);
    ask({ q: text }, 'typed');
  };
  return [typed, type];
}
