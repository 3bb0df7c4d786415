// Every text of the pages, in English. Another language is another file of this shape, chosen in texts.ts.
// A text with a number or a name in it is a function, so that each language can put it where it belongs.
const plural = new Intl.PluralRules('en');
const count = new Intl.NumberFormat('en');

function counted(number: number, one: string, other: string): string {
  return `${count.format(number)} ${plural.select(number) === 'one' ? one : other}`;
}

export const en = {
  locale: 'en',
  name: 'Doorbuster',

  frame: {
    skipToContent: 'Skip to the content',
    live: 'Live',
    connecting: 'Connecting',
    lost: 'Connection lost. What you see are the last known figures; it reconnects by itself, and your place in the queue is safe.',
    back: 'Connected again. Everything you see is current.',
    broken: 'Something on this page went wrong. Your place in the queue is safe: load the page again.',
    reload: 'Load again',
    footer:
      'Open source, self-hosted. Every figure on this page comes over the same API that everybody uses.',
  },

  drops: {
    loading: 'Looking for what is on sale …',
    none: 'Nothing is on sale right now',
    noneHint:
      'The next drop appears here by itself as soon as it is announced. You can leave this page open.',
    others: 'Also on',
    state: {
      scheduled: 'Announced',
      lobby: 'Lobby open',
      open: 'Open',
      paused: 'Paused',
      'sold-out': 'Sold out',
      closed: 'Closed',
    },
    opensIn: 'Opens in',
    lobbyOpensIn: 'Lobby opens in',
    closesIn: 'Closes in',
    opening: 'Opening …',
    opensAt: (when: string) => `Opens ${when}`,
    isOpen: 'Doors are open',
    isPaused: 'The shop has paused this drop. Everybody keeps their place.',
    isSoldOut: 'Every unit has a buyer',
    isClosed: 'This drop is over',
    days: (days: number) => counted(days, 'day', 'days'),
    messageFrom: 'From the shop',
    perBuyer: (max: number) => `At most ${max} for each buyer`,
    show: 'Show this drop',
    showNamed: (title: string) => `Show this drop: ${title}`,
    inLobby: 'in the lobby',
    arrived: 'in line so far',
    perMinute: 'calls a minute',
  },

  stock: {
    title: 'What is on sale',
    availability: {
      available: 'Available',
      'all-held': 'All held — may come back',
      'sold-out': 'Sold out',
    },
    left: (available: number, total: number) => `${count.format(available)} of ${count.format(total)} left`,
    barLabel: (title: string) => `Stock of ${title}`,
  },

  chart: {
    title: 'The last minutes',
    arrivedLine: 'Buyers in the lobby',
    calledLine: 'Buyers called',
    stockLine: 'Units left',
    empty: 'The lines start to draw as soon as something moves.',
    description: (line: string, value: number, left: number) =>
      `Chart of the last minutes. ${line}: ${count.format(value)}. Units left: ${count.format(left)}.`,
    ago: (span: string) => `${span} ago`,
    now: 'now',
  },

  queue: {
    title: 'Your place',
    join: 'Join the queue',
    joining: 'Joining …',
    joinLobby: 'Get into the lobby',
    joinHint: {
      shuffle:
        'The lobby is shuffled when the doors open, so there is no rush: everybody in it has the same chance.',
      fifo: 'First come, first served: your place is the moment you join.',
      draw: 'Places are drawn among all who are in the lobby when the doors open.',
    },
    notYet: 'The lobby is not open yet. The button works as soon as it is.',
    arrival: (number: number) => `Ticket ${count.format(number)}`,
    lobby: {
      title: 'You are in the lobby',
      text: {
        shuffle:
          'When the doors open, everybody in the lobby gets a place by a shuffle. Coming earlier or later made no difference, and neither does reloading. Who joins after that queues behind.',
        fifo: 'When the doors open, you are called in the order of arrival.',
        draw: 'When the doors open, places are drawn among all who are here. The lobby closes then.',
      },
      keep: 'Leave this page open, or come back to it in this browser: your ticket is kept here.',
    },
    waiting: {
      title: 'You are in line',
      ahead: 'ahead of you',
      next: 'You are next',
      rank: (rank: number) => `Place ${count.format(rank)} in the line`,
      checked: 'recomputed by your browser from the published key',
      eta: (low: string, high: string) =>
        low === high ? `About ${low} to go` : `About ${low} to ${high} to go`,
      soon: 'Less than a minute to go',
      progress: 'How far the queue has come towards you',
      paused: 'The queue stands still while the drop is paused.',
    },
    called: { title: 'It is your turn', left: 'Time left to check out' },
    leave: 'Give up my place',
    leaveSure: 'Give it up for good?',
    leaveYes: 'Yes, give it up',
    leaveNo: 'Keep it',
    outcome: {
      'not-yet': 'The lobby is not open yet. Try again when the countdown has ended.',
      closed: 'This drop is over. Look for the next one on this page.',
      'sold-out':
        'Every unit has a buyer, so the queue has ended. Thank you for waiting. The next drop appears here.',
      'bad-code': 'This code is not valid for this drop. Join without it, or check it for typing errors.',
      'proof-required': 'The check that you are not a program did not pass. Try again.',
      missed: 'You were called and the time to answer ran out. Your place has been given to the next buyer.',
      done: 'Your purchase in this drop is complete.',
      left: 'Your place in this queue has ended. It was given up, or the time to check out ran out.',
      'lost-draw':
        'The draw has fallen, and your place was not among those the stock lasts for. Nothing was charged.',
    },
    announce: {
      lobby: 'You are in the lobby.',
      ahead: (ahead: number) => `${counted(ahead, 'person is', 'people are')} ahead of you.`,
      called: 'It is your turn. You can check out now.',
    },
  },

  checkout: {
    title: 'Check out',
    steps: { choose: 'Choose', details: 'Details', pay: 'Pay', done: 'Done' },
    quantity: 'Quantity',
    quantityOf: (title: string) => `Quantity of ${title}`,
    fewer: (title: string) => `One ${title} fewer`,
    more: (title: string) => `One ${title} more`,
    shipTo: 'Ship to',
    state: 'Province or state',
    chooseSome: 'Choose at least one item.',
    hold: 'Reserve it',
    holding: 'Reserving …',
    holdHint: 'Reserving takes the units off the shelf for you alone, for a few minutes.',
    heldFor: 'Reserved for you',
    subtotal: 'Subtotal',
    discount: 'Discount',
    shipping: 'Shipping',
    shippingFree: 'Free',
    tax: 'Tax',
    taxIncluded: 'including tax of',
    total: 'Total',
    pricing: 'Working out the price …',
    release: 'Put it back',
    name: 'Name',
    email: 'E-mail',
    line1: 'Street and number',
    line2: 'Apartment, floor (optional)',
    city: 'City',
    postcode: 'Postcode',
    country: 'Country',
    toPayment: 'Continue to payment',
    toPaymentOf: (total: string) => `Continue with ${total}`,
    preparing: 'Preparing the payment …',
    requote: 'Your address changes the price. This is the new one; your units stay reserved.',
    payBefore: 'Time left to pay',
    testCards: 'Test card',
    testCardsHint:
      'This installation takes test payments only. Choose what the card should do; nothing is charged.',
    cards: {
      success: 'Works',
      declined: 'Declined',
      insufficient: 'Not enough funds',
      authenticate: 'Asks for 3-D Secure',
    },
    payNow: (total: string) => `Pay ${total}`,
    paying: 'Asking the bank …',
    bankTitle: 'Your bank asks',
    bankClose: 'Cancel',
    realStripe:
      'Card payments on this page come with the full storefront. Until then your order waits here, and ends by itself if it is not paid in time.',
    confirming: 'The bank has agreed. Your units are being assigned …',
    declinedBy: (message: string) =>
      `${message} You can try again with another card; your units stay reserved.`,
    bankFailed:
      'Your bank did not confirm that it is you. Try again, or take another card; your units stay reserved.',
    outcome: {
      'bad-coupon': 'This code gives no discount in this drop. Go on without it.',
      'not-shippable-country': 'We cannot ship to this country. Choose another one.',
      'not-shippable-method': 'This way of shipping is not offered there. Choose another one.',
      'below-minimum': 'That is less than can be paid by card. Add something, or choose more of it.',
      busy: 'Many people ask for prices at this moment. Try again in a second.',
      'sold-out': (title: string) =>
        `${title} is sold out. Choose something else, if there is anything left.`,
      'all-held': (title: string) =>
        `All of ${title} are in other buyers’ hands right now. Some may come back: try again shortly, while your turn lasts.`,
      'limit-buyer': (max: number) =>
        `You would have more than ${max} of this drop, which is the most for each buyer. Choose fewer.`,
      'limit-pass': 'You have units reserved already. Pay for those, or put them back first.',
      'pass-expired': 'The time to check out has run out, and your place went to the next buyer.',
      'quote-expired': 'The price was only valid for a while. It has been renewed: try again.',
      'not-open': 'The drop is not open. Wait for it to open.',
      paused:
        'The drop is paused for the moment. Try again when it goes on; your turn is kept as long as its time lasts.',
      conflict: 'This reservation was made for something else. Start again.',
      'hold-expired':
        'The reservation has run out, and the units are back on the shelf. Choose again while your turn lasts.',
      released:
        'The reservation has ended, and the units are back on the shelf. Choose again while your turn lasts.',
      'pay-sold-out': 'The last units went to others before your payment began. Nothing was charged.',
      'pay-all-held':
        'All units are in other buyers’ hands right now. Some may come back: try again shortly.',
    },
  },

  order: {
    title: 'Your order',
    number: (orderId: string) => `Order ${orderId}`,
    serial: (serial: number, total: number) => `number ${count.format(serial)} of ${count.format(total)}`,
    status: {
      pending: 'Waiting for your payment.',
      closing: 'The time to pay has ended; checking with the bank whether a payment came in time.',
      authorized: 'The bank has agreed. Your units are being assigned …',
      cancelling: 'The order is being cancelled, and the payment with it.',
      paid: 'Paid. It is yours:',
      fulfilled: 'On its way to you:',
      refunded: 'Refunded in full. The money returns to your card within some days.',
      cancelled: 'Cancelled. You were not charged.',
      expired: 'Not paid in time. You were not charged, and the units are back on the shelf.',
    },
    reason: {
      'window-ended': 'The time to pay had ended.',
      'hold-expired': 'The reservation had run out.',
      'cancelled-by-shop': 'The shop cancelled it. Ask the shop if you do not know why.',
      'too-many-declines': 'Too many payments were declined. Ask your bank before you try another time.',
      'payment-cancelled': 'The payment was cancelled.',
      'payment-refused': 'The payment could not be taken. Use another card next time.',
      'card-limit':
        'This card has bought as much of this drop as one card may. The payment has been cancelled, not charged.',
      'sold-out': 'No unit was left when the payment arrived; it has been cancelled, not charged.',
      'capture-failed': 'The bank did not pay out what it had agreed to. Use another card next time.',
    },
    again: 'Close',
  },

  products: {
    title: 'The catalog',
    search: 'Search the catalog',
    placeholder: 'Try “lamp” or a brand',
    found: (total: number) => counted(total, 'product', 'products'),
    none: (query: string) => `Nothing found for “${query}”. Try fewer or other words.`,
    empty: 'The catalog is empty. Products appear here once the shop has added some.',
    failed: 'The search does not answer at the moment. The sale above is not affected.',
    degraded: 'Search works with reduced precision at the moment.',
    brand: 'Brand',
    category: 'Category',
    clear: 'Clear the filters',
    from: (price: string) => `from ${price}`,
    more: 'Show more',
  },

  errors: {
    network: 'The engine did not answer. Check your connection and try again; nothing was lost.',
    later: 'Too many requests at once. Wait a moment and try again.',
    session: 'Your session has ended. Load the page again to start a new one.',
    unexpected: (message: string) => `That did not work: ${message}`,
  },
};
