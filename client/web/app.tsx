import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { lazy, Suspense, useCallback, useState } from 'react';
import { Route, Switch, useLocation } from 'wouter';
import { failureOf } from '../index.ts';
import { DoorbusterProvider } from '../react/index.ts';
import { EngineContext } from './engine/engine-context.ts';
import type { Engine } from './engine/engine.ts';
import { ConnectionBanner } from './frame/connection-banner.tsx';
import { CrashGuard } from './frame/crash-guard.tsx';
import { NotFound } from './frame/not-found.tsx';
import { PageFooter } from './frame/page-footer.tsx';
import { PageHeader } from './frame/page-header.tsx';
import { PageLoading } from './frame/page-loading.tsx';
import { LookupContext } from './products/lookup-context.ts';
import { createProductLookup } from './products/product-lookup.ts';
import { chooseLanguage, type Language } from './texts/language.ts';
import { loadTexts, texts } from './texts/texts.ts';

// Each page's script is loaded when it is first visited; server/transport/pages.ts knows the same addresses.
const Home = lazy(async () => ({ default: (await import('./home/home.tsx')).Home }));
const SearchPage = lazy(async () => ({ default: (await import('./search/search-page.tsx')).SearchPage }));
const ProductPage = lazy(async () => ({
  default: (await import('./products/product-page.tsx')).ProductPage,
}));
const DropPage = lazy(async () => ({ default: (await import('./drop/drop-page.tsx')).DropPage }));
const OrdersPage = lazy(async () => ({ default: (await import('./orders/orders-page.tsx')).OrdersPage }));
const OrderPage = lazy(async () => ({ default: (await import('./orders/order-page.tsx')).OrderPage }));
const AccountPage = lazy(async () => ({
  default: (await import('./account/account-page.tsx')).AccountPage,
}));

export function createQueries(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        // What the engine refuses for good is not asked again; all else thrice, with growing pauses.
        retry: (count, error) => count < 3 && failureOf(error).retry === 'later',
        // Coming back to the tab asks anew by itself; within this, what is known is good enough.
        staleTime: 5_000,
      },
    },
  });
}

export function App({ engine, queries }: { engine: Engine; queries: QueryClient }) {
  const [path] = useLocation();
  const [lookup] = useState(() => createProductLookup(engine));
  const [, setEdition] = useState(0);
  // Whoever draws reads the texts while drawing, so drawing anew is all that a change of language takes.
  const speak = useCallback(async (language: Language) => {
    await loadTexts(language);
    chooseLanguage(language);
    setEdition(last => last + 1);
  }, []);
  return (
    <QueryClientProvider client={queries}>
      <EngineContext value={engine}>
        <DoorbusterProvider client={engine.client}>
          <LookupContext value={lookup}>
            <ConnectionBanner />
            <div className="page">
              <PageHeader />
              <CrashGuard at={path} says={texts.frame}>
                <Suspense fallback={<PageLoading />}>
                  <Switch>
                    <Route path="/">{() => <Home />}</Route>
                    <Route path="/search">{() => <SearchPage />}</Route>
                    <Route path="/products/:id">{({ id }) => <ProductPage key={id} productId={id} />}</Route>
                    <Route path="/drops/:id">{({ id }) => <DropPage key={id} dropId={id} />}</Route>
                    <Route path="/orders">{() => <OrdersPage />}</Route>
                    <Route path="/orders/:id">{({ id }) => <OrderPage key={id} orderId={id} />}</Route>
                    <Route path="/account">{() => <AccountPage />}</Route>
                    <Route>{() => <NotFound />}</Route>
                  </Switch>
                </Suspense>
              </CrashGuard>
              <PageFooter onLanguage={speak} />
            </div>
          </LookupContext>
        </DoorbusterProvider>
      </EngineContext>
    </QueryClientProvider>
  );
}
