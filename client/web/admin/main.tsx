import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

const place = document.getElementById('page');
if (!place) throw new Error('admin.html has no element with the id "page"');
createRoot(place).render(
  <StrictMode>
    <main>
      <h1>Control room</h1>
    </main>
  </StrictMode>,
);
