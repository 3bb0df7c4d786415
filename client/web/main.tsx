import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { createEngine } from './engine/engine.ts';
import { texts } from './texts/texts.ts';

const place = document.getElementById('page');
if (!place) throw new Error('index.html has no element with the id "page"');
document.documentElement.lang = texts.locale;
const engine = createEngine(window.location.origin);
createRoot(place).render(
  <StrictMode>
    <App engine={engine} />
  </StrictMode>,
);
