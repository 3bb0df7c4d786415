import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { currentLanguage } from '../texts/language.ts';
import { ControlRoom } from './control-room.tsx';
import { loadAdminTexts } from './texts/texts.ts';

const place = document.getElementById('page');
if (!place) throw new Error('admin.html has no element with the id "page"');
await loadAdminTexts(currentLanguage());
createRoot(place).render(
  <StrictMode>
    <ControlRoom />
  </StrictMode>,
);
