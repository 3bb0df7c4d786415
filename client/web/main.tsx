import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App, createQueries } from './app.tsx';
import { createEngine } from './engine/engine.ts';
import { currentLanguage } from './texts/language.ts';
import { loadTexts } from './texts/texts.ts';

const place = document.getElementById('page');
if (!place) throw new Error('index.html has no element with the id "page"');
await loadTexts(currentLanguage());
const engine = createEngine(window.location.origin);
createRoot(place).render(
  <StrictMode>
    <App engine={engine} queries={createQueries()} />
  </StrictMode>,
);
