// The control room: signed in, it is a row of pages and what the role allows on them.
import { QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { lazy, Suspense, useCallback, useMemo, useState } from 'react';
import { I18nProvider } from 'react-aria-components';
import { Link, Route, Router, Switch, useLocation } from 'wouter';
import { failureOf } from '../../index.ts';
import { chooseLanguage, currentLocale, type Language } from '../texts/language.ts';
import { LanguageChoice, ThemeChoice } from '../frame/choices.tsx';
import { CrashGuard } from '../frame/crash-guard.tsx';
import { Notices } from './parts/notices.tsx';
import { Loading, Page } from './parts/page.tsx';
import { Door, SignIn, type SignedIn } from './session/sign-in.tsx';
import { keepKey } from './session/staff-key.ts';
import { mayAct, StaffContext, useStaff, type Role, type Staff } from './session/staff.ts';
import { loadAdminTexts, words } from './texts/texts.ts';

const DropList = lazy(async () => ({ default: (await import('./drops/drop-list.tsx')).DropList }));
const NewDrop = lazy(async () => ({ default: (await import('./drops/drop-editor.tsx')).NewDrop }));
const EditDrop = lazy(async () => ({ default: (await import('./drops/drop-editor.tsx')).EditDrop }));
const Board = lazy(async () => ({ default: (await import('./board/board-page.tsx')).BoardPage }));
const Products = lazy(async () => ({ default: (await import('./products/product-list.tsx')).ProductList }));
const NewProduct = lazy(async () => ({
  default: (await import('./products/product-editor.tsx')).NewProduct,
}));
const EditProduct = lazy(async () => ({
  default: (await import('./products/product-editor.tsx')).EditProduct,
}));
const Import = lazy(async () => ({ default: (await import('./products/import-page.tsx')).ImportPage }));
const Orders = lazy(async () => ({ default: (await import('./orders/order-list.tsx')).OrderList }));
const OrderView = lazy(async () => ({ default: (await import('./orders/order-page.tsx')).OrderPage }));
const Prices = lazy(async () => ({ default: (await import('./prices/prices-page.tsx')).PricesPage }));
const EditGroup = lazy(async () => ({
  default: (await import('./prices/group-editor.tsx')).GroupEditor,
}));
const NewCoupon = lazy(async () => ({ default: (await import('./prices/coupon-editor.tsx')).NewCoupon }));
const Log = lazy(async () => ({ default: (await import('./log/log-page.tsx')).LogPage }));
const Books = lazy(async () => ({ default: (await import('./books/books-page.tsx')).BooksPage }));

/** What is known is good enough for so long; the live board does not go by it. */
const freshMs = 3_000;

export function ControlRoom() {
  const [signedIn, setSignedIn] = useState<SignedIn | null>(null);
  const [hasEnded, setEnded] = useState(false);
  const [edition, setEdition] = useState(0);
  const [path] = useLocation();

  const leave = useCallback((ended: boolean) => {
    keepKey(null);
    setEnded(ended);
    setSignedIn(current => {
      void current?.client.close();
      return null;
    });
  }, []);
  const queries = useMemo(
    () =>
      new QueryClient({
        queryCache: new QueryCache({
          onError: error => failureOf(error).code === 'UNAUTHORIZED' && leave(true),
        }),
        defaultOptions: {
          queries: {
            retry: (times, error) => times < 2 && failureOf(error).retry === 'later',
            staleTime: freshMs,
          },
        },
      }),
    // Another person must not see what the one before them had read.
    [leave, signedIn],
  );
  const speak = useCallback(async (language: Language) => {
    await loadAdminTexts(language);
    chooseLanguage(language);
    setEdition(last => last + 1);
  }, []);
  const staff: Staff | null = useMemo(
    () =>
      signedIn && {
        ...signedIn,
        api: signedIn.client.api,
        may: (least: Role) => mayAct(signedIn.who.role, least),
        signOut: () => leave(false),
      },
    [signedIn, leave],
  );

  return (
    <I18nProvider locale={currentLocale()}>
      <QueryClientProvider client={queries}>
        {staff ? (
          <StaffContext value={staff}>
            <Router base="/admin">
              <Head onLanguage={speak} />
              <CrashGuard at={path} says={words} className="admin-page">
                <Pages key={edition} />
              </CrashGuard>
            </Router>
          </StaffContext>
        ) : (
          <SignIn
            hasEnded={hasEnded}
            onSignedIn={next => {
              setEnded(false);
              setSignedIn(next);
            }}
          />
        )}
        <Notices />
      </QueryClientProvider>
    </I18nProvider>
  );
}

function Pages() {
  const { may } = useStaff();
  return (
    <Suspense fallback={<Loading />}>
      <Switch>
        <Route path="/">{() => <DropList />}</Route>
        <Route path="/drops">{() => <DropList />}</Route>
        <Route path="/drops/new">{() => (may('admin') ? <NewDrop /> : <OnlyFor role="admin" />)}</Route>
        <Route path="/drops/:id">{({ id }) => <Board key={id} dropId={id} />}</Route>
        <Route path="/drops/:id/edit">
          {({ id }) => (may('admin') ? <EditDrop key={id} dropId={id} /> : <OnlyFor role="admin" />)}
        </Route>
        <Route path="/products">{() => <Products />}</Route>
        <Route path="/products/new">{() => (may('admin') ? <NewProduct /> : <OnlyFor role="admin" />)}</Route>
        <Route path="/products/:id">{({ id }) => <EditProduct key={id} productId={id} />}</Route>
        <Route path="/import">{() => (may('admin') ? <Import /> : <OnlyFor role="admin" />)}</Route>
        <Route path="/orders">{() => (may('operator') ? <Orders /> : <OnlyFor role="operator" />)}</Route>
        <Route path="/orders/:id">
          {({ id }) => (may('operator') ? <OrderView key={id} orderId={id} /> : <OnlyFor role="operator" />)}
        </Route>
        <Route path="/prices">{() => <Prices />}</Route>
        <Route path="/prices/groups/new">
          {() => (may('admin') ? <EditGroup name={null} /> : <OnlyFor role="admin" />)}
        </Route>
        <Route path="/prices/coupons/new">
          {() => (may('admin') ? <NewCoupon /> : <OnlyFor role="admin" />)}
        </Route>
        <Route path="/prices/groups/:group">{({ group }) => <EditGroup key={group} name={group} />}</Route>
        <Route path="/log">{() => <Log />}</Route>
        <Route path="/findings">{() => <Books />}</Route>
        <Route>{() => <Page title={words.name}>{words.notFound}</Page>}</Route>
      </Switch>
    </Suspense>
  );
}

function OnlyFor({ role }: { role: Role }) {
  return (
    <Page title={words.name}>
      <p className="notice">{words.onlyFor(words.roles[role])}</p>
    </Page>
  );
}

function Head({ onLanguage }: { onLanguage: (language: Language) => Promise<void> }) {
  const { who, may, signOut } = useStaff();
  const [path] = useLocation();
  const pages = [
    { to: '/drops', name: words.pages.drops, isHere: path === '/' || path.startsWith('/drops') },
    {
      to: '/products',
      name: words.pages.products,
      isHere: path.startsWith('/products') || path.startsWith('/import'),
    },
    ...(may('operator')
      ? [{ to: '/orders', name: words.pages.orders, isHere: path.startsWith('/orders') }]
      : []),
    { to: '/prices', name: words.pages.prices, isHere: path.startsWith('/prices') },
    { to: '/findings', name: words.pages.books, isHere: path.startsWith('/findings') },
    { to: '/log', name: words.pages.log, isHere: path.startsWith('/log') },
  ];
  return (
    <header className="admin-head">
      <a className="page-skip" href="#content">
        {words.skip}
      </a>
      <div className="admin-bar">
        <p className="admin-name">
          <Door />
          <span>{words.name}</span>
        </p>
        <nav aria-label={words.menu}>
          <ul>
            {pages.map(({ to, name, isHere }) => (
              <li key={to}>
                <Link href={to} {...(isHere ? { 'aria-current': 'page' } : {})}>
                  {name}
                </Link>
              </li>
            ))}
          </ul>
        </nav>
        <div className="admin-who">
          <LanguageChoice label={words.language} onLanguage={onLanguage} />
          <ThemeChoice label={words.theme} names={words.themes} />
          <span className="admin-role">{words.signIn.as(who.name, words.roles[who.role])}</span>
          <button type="button" className="button button-quiet" onClick={signOut}>
            {words.signIn.out}
          </button>
        </div>
      </div>
    </header>
  );
}
