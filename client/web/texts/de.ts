// Alle Texte des Ladens auf Deutsch; die Form gibt en.ts vor.
import type { Texts } from './texts.ts';
import { wordsOf } from './words.ts';

const { count, counted } = wordsOf('de');

export const de: Texts = {
  name: 'Doorbuster',

  frame: {
    skipToContent: 'Zum Inhalt springen',
    live: 'Live',
    connecting: 'Verbinde',
    lost: 'Verbindung verloren. Sie sehen die letzten bekannten Zahlen; die Seite verbindet sich von selbst wieder, und Ihr Platz in der Schlange ist sicher.',
    back: 'Wieder verbunden. Alles, was Sie sehen, ist aktuell.',
    broken:
      'Auf dieser Seite ist etwas schiefgegangen. Ihr Platz in der Schlange ist sicher: Laden Sie die Seite neu.',
    reload: 'Neu laden',
    footer:
      'Quelloffen, selbst betrieben. Jede Zahl auf diesen Seiten kommt über dieselbe API, die alle benutzen.',
    loading: 'Lädt …',
    nav: { label: 'Seiten', drops: 'Drops', search: 'Suche', orders: 'Bestellungen', account: 'Konto' },
    language: 'Sprache',
    theme: 'Darstellung',
    themes: { system: 'Wie das System', light: 'Hell', dark: 'Dunkel' },
    notFound: 'Unter dieser Adresse ist nichts',
    notFoundHint:
      'Vielleicht ist der Link alt oder vertippt. Was verkauft wird und alles andere ist zwei Schritte entfernt.',
    toDrops: 'Zu den Drops',
    toSearch: 'Im Katalog suchen',
    tryAgain: 'Noch einmal versuchen',
  },

  drops: {
    loading: 'Es wird nachgesehen, was verkauft wird …',
    none: 'Zurzeit wird nichts verkauft',
    noneHint:
      'Der nächste Drop erscheint hier von selbst, sobald er angekündigt ist. Sie können diese Seite offen lassen.',
    title: 'Drops',
    others: 'Außerdem',
    past: 'Vorbei',
    enter: 'Eintreten',
    look: 'Ansehen',
    missing: 'Diesen Drop gibt es nicht',
    units: (total: number) => counted(total, 'Stück', 'Stück'),
    state: {
      scheduled: 'Angekündigt',
      lobby: 'Lobby offen',
      open: 'Offen',
      paused: 'Angehalten',
      'sold-out': 'Ausverkauft',
      closed: 'Geschlossen',
    },
    opensIn: 'Öffnet in',
    lobbyOpensIn: 'Lobby öffnet in',
    closesIn: 'Schließt in',
    opening: 'Öffnet …',
    opensAt: (when: string) => `Öffnet ${when}`,
    isOpen: 'Die Türen sind offen',
    isPaused: 'Der Laden hat diesen Drop angehalten. Alle behalten ihren Platz.',
    isSoldOut: 'Jedes Stück hat einen Käufer',
    isClosed: 'Dieser Drop ist vorbei',
    days: (days: number) => counted(days, 'Tag', 'Tage'),
    messageFrom: 'Vom Laden',
    perBuyer: (max: number) => `Höchstens ${count(max)} für jeden`,
    inLobby: 'in der Lobby',
    arrived: 'bisher in der Schlange',
    perMinute: 'Aufrufe je Minute',
  },

  stock: {
    title: 'Was verkauft wird',
    availability: {
      available: 'Verfügbar',
      'all-held': 'Alle reserviert – kann zurückkommen',
      'sold-out': 'Ausverkauft',
    },
    left: (available: number, total: number) => `noch ${count(available)} von ${count(total)}`,
    barLabel: (title: string) => `Bestand von ${title}`,
    priceNow: 'Preis jetzt:',
    fallsTo: (price: string) => `fällt auf ${price} in`,
    lowest: 'Der niedrigste Preis ist erreicht.',
  },

  chart: {
    arrivedLine: 'In der Lobby',
    calledLine: 'Aufgerufen',
    stockLine: 'Noch zu haben',
    description: (line: string, value: number, left: number) =>
      `Verlauf der letzten Minuten. ${line}: ${count(value)}. Noch zu haben: ${count(left)}.`,
    ago: (span: string) => `vor ${span}`,
    now: 'jetzt',
  },

  queue: {
    title: 'Ihr Platz',
    join: 'In die Schlange',
    joining: 'Einen Moment …',
    joinLobby: 'In die Lobby',
    joinHint: {
      shuffle:
        'Die Lobby wird gemischt, wenn die Türen öffnen. Es eilt also nicht: Alle darin haben dieselbe Chance.',
      fifo: 'Wer zuerst kommt, ist zuerst dran: Ihr Platz ist der Augenblick, in dem Sie sich anstellen.',
      draw: 'Die Plätze werden unter allen ausgelost, die in der Lobby sind, wenn die Türen öffnen.',
    },
    notYet: 'Die Lobby ist noch nicht offen. Sobald sie es ist, geht der Knopf.',
    arrival: (number: number) => `Ticket ${count(number)}`,
    lobby: {
      title: 'Sie sind in der Lobby',
      text: {
        shuffle:
          'Wenn die Türen öffnen, bekommen alle in der Lobby durch Mischen einen Platz. Früher oder später zu kommen war gleich, neu zu laden auch. Wer danach kommt, stellt sich hinten an.',
        fifo: 'Wenn die Türen öffnen, werden Sie in der Reihenfolge der Ankunft aufgerufen.',
        draw: 'Wenn die Türen öffnen, werden die Plätze unter allen hier ausgelost. Dann schließt die Lobby.',
      },
      keep: 'Lassen Sie diese Seite offen, oder kommen Sie in diesem Browser wieder: Ihr Ticket wird hier aufgehoben.',
    },
    waiting: {
      title: 'Sie stehen in der Schlange',
      ahead: 'vor Ihnen',
      next: 'Sie sind als Nächstes dran',
      rank: (rank: number) => `Platz ${count(rank)} in der Schlange`,
      checked: 'von Ihrem Browser aus dem veröffentlichten Schlüssel nachgerechnet',
      eta: (span: string) => `Noch ungefähr ${span}`,
      soon: 'Noch weniger als eine Minute',
      progress: 'Wie weit die Schlange Ihnen entgegengekommen ist',
      paused: 'Die Schlange steht, solange der Drop angehalten ist.',
    },
    called: {
      title: 'Sie sind dran',
      left: 'Noch Zeit zum Kaufen',
      notice: (title: string) => `${title}: Sie können jetzt kaufen. Ihre Zeit läuft.`,
    },
    alerts: {
      title: 'Wenn Sie dran sind',
      text: 'Der Titel des Tabs ändert sich, und ein kurzer Ton erklingt.',
      sound: 'Ton abspielen',
      notify: 'Auch eine Mitteilung zeigen',
      notified: 'Auch eine Mitteilung wird erscheinen.',
      refused:
        'Dieser Browser zeigt für diese Seite keine Mitteilungen; in seinen Einstellungen lässt sich das ändern.',
    },
    code: 'Ich habe einen Code',
    codeLabel: 'Code für die bevorzugte Schlange',
    codeHint: 'Er gibt einen Platz in der bevorzugten Schlange, wenn der Laden Ihnen einen gegeben hat.',
    shuffle: {
      title: 'Wie gemischt wird',
      steps: [
        'Bevor die Türen öffnen, bekommt jeder, der kommt, ein Ticket. Wann Sie kommen, ist gleich.',
        'Kurz vor der Öffnung wird die Liste der Tickets versiegelt und ihr Fingerabdruck veröffentlicht.',
        'Bei der Öffnung bringt ein Schlüssel, den danach niemand mehr wählen konnte, alle Tickets in eine neue Reihenfolge.',
        'In dieser Reihenfolge wird aufgerufen. Ihr eigener Browser kann Ihren Platz nachrechnen und das Siegel prüfen.',
      ],
    },
    leave: 'Meinen Platz aufgeben',
    leaveSure: 'Für immer aufgeben?',
    leaveYes: 'Ja, aufgeben',
    leaveNo: 'Behalten',
    outcome: {
      'not-yet': 'Die Lobby ist noch nicht offen. Versuchen Sie es wieder, wenn der Countdown zu Ende ist.',
      closed: 'Dieser Drop ist vorbei. Den nächsten finden Sie auf der ersten Seite.',
      'sold-out':
        'Jedes Stück hat einen Käufer, die Schlange ist also zu Ende. Danke fürs Warten. Den nächsten Drop finden Sie auf der ersten Seite.',
      'bad-code':
        'Dieser Code gilt nicht für diesen Drop. Kommen Sie ohne ihn herein, oder prüfen Sie ihn auf Tippfehler.',
      'proof-required':
        'Die Prüfung, dass Sie kein Programm sind, ist nicht gelungen. Versuchen Sie es noch einmal.',
      missed:
        'Sie wurden aufgerufen, und die Zeit zu antworten ist abgelaufen. Ihr Platz ging an den Nächsten.',
      done: 'Ihr Einkauf in diesem Drop ist abgeschlossen.',
      left: 'Ihr Platz in dieser Schlange ist zu Ende: Er wurde aufgegeben, oder die Zeit zum Kaufen ist abgelaufen.',
      'lost-draw':
        'Es ist gelost, und Ihr Platz war nicht unter denen, für die der Bestand reicht. Es wurde nichts berechnet.',
    },
    announce: {
      lobby: 'Sie sind in der Lobby.',
      ahead: (ahead: number) => `${counted(ahead, 'Person ist', 'Personen sind')} vor Ihnen.`,
      called: 'Sie sind dran. Sie können jetzt kaufen.',
    },
  },

  fairness: {
    title: 'Wie Sie prüfen können, dass es gerecht zuging',
    text: 'Die Prüfung läuft in Ihrem Browser, an dem, was der Laden veröffentlicht hat. Sie glaubt ihm nichts aufs Wort.',
    run: 'Jetzt prüfen',
    again: 'Noch einmal prüfen',
    running: 'Prüfe …',
    fine: 'Alles passt zusammen.',
    wrong: 'Etwas passt nicht. Heben Sie diese Seite auf, und fragen Sie den Laden danach:',
    failed:
      'Das Veröffentlichte ließ sich nicht laden. Prüfen Sie Ihre Verbindung und versuchen Sie es wieder.',
    checks: {
      seed: 'Der geheime Startwert ist der, dessen Fingerabdruck vor Beginn des Drops veröffentlicht war.',
      root: (size: number) =>
        `Die versiegelte Liste hat ${counted(size, 'Ticket', 'Tickets')}; seither kam niemand hinzu, und niemand fehlt.`,
      key: 'Die Reihenfolge folgt aus Startwert, Liste und öffentlichem Zufall; niemand hat sie gewählt.',
      calls: (calls: number) =>
        `Aufgerufen wurde in dieser Reihenfolge, ohne Lücke und ohne Wiederholung (${counted(calls, 'Eintrag', 'Einträge')} im Protokoll).`,
      ticket: 'Ihr eigenes Ticket steht in der versiegelten Liste.',
      rank: (rank: number) => `Ihr Platz, ${count(rank)}, ist der, der daraus folgt.`,
      arrival: (rank: number) => `Ihr Platz, ${count(rank)}, ist der Ihrer Ankunft.`,
    },
    later: 'Von der Öffnung an lässt sich mehr prüfen: Dann werden Schlüssel und Startwert veröffentlicht.',
    fifo: 'Dieser Drop ruft in der Reihenfolge der Ankunft auf, es gab also nichts zu mischen.',
    noBeacon:
      'Vorher war kein öffentlicher Zufall genannt. Nach dem Versiegeln ließ sich die Reihenfolge also nicht mehr wählen; wer aber den Startwert kannte, konnte davor Listen durchprobieren.',
    beacon: (name: string) => `Der öffentliche Zufall ist ${name}; sehen Sie bei seiner Quelle nach.`,
    invented: 'Tickets, die ein Laden erfunden hat, zeigten sich nur an der Zahl der Tickets.',
    download: 'Alles Veröffentlichte als Datei',
    marks: 'Fingerabdrücke für alle, die vergleichen wollen',
    seedHash: 'Startwert, Fingerabdruck',
    root: 'Liste der Tickets, Fingerabdruck',
    callsHead: 'Protokoll der Aufrufe, letzter Fingerabdruck',
  },

  checkout: {
    title: 'Kaufen',
    steps: { choose: 'Auswahl', details: 'Angaben', pay: 'Zahlung', done: 'Fertig' },
    quantityOf: (title: string) => `Anzahl von ${title}`,
    fewer: (title: string) => `Eins weniger von ${title}`,
    more: (title: string) => `Eins mehr von ${title}`,
    shipTo: 'Lieferung nach',
    state: 'Bundesstaat oder Provinz',
    chooseSome: 'Wählen Sie mindestens ein Stück.',
    limit: (max: number) => `Höchstens ${count(max)} für jeden in diesem Drop.`,
    limitReached: (max: number) => `Mehr geht nicht: ${count(max)} für jeden.`,
    coupon: 'Gutscheincode',
    couponHint: 'Freiwillig',
    couponApply: 'Einlösen',
    couponRemove: 'Code entfernen',
    couponUsed: (code: string) => `Code ${code}`,
    hold: 'Reservieren',
    holding: 'Reserviere …',
    holdHint: 'Beim Reservieren kommen die Stücke für einige Minuten vom Regal, nur für Sie.',
    heldFor: 'Für Sie reserviert',
    discount: 'Rabatt',
    shipping: 'Versand',
    shippingFree: 'Kostenlos',
    tax: 'Steuer',
    taxIncluded: 'darin enthaltene Steuer',
    taxAt: (percent: string) => `Steuer, ${percent}`,
    taxIncludedAt: (percent: string) => `darin enthaltene Steuer, ${percent}`,
    reduced: (each: string, list: string) => `je ${each} statt ${list}`,
    tierFrom: (from: number) => `ab ${count(from)} Stück`,
    forGroup: (group: string) => `Ihr Preis als ${group}`,
    tierOffer: (from: number, each: string) => `ab ${count(from)}: je ${each}`,
    badCoupon: {
      unknown: 'Diesen Code kennen wir nicht. Prüfen Sie die Schreibweise, oder machen Sie ohne ihn weiter.',
      disabled: 'Dieser Code wurde zurückgezogen. Machen Sie ohne ihn weiter, oder nehmen Sie einen anderen.',
      'not-yet': 'Dieser Code gilt noch nicht. Machen Sie ohne ihn weiter, oder nehmen Sie einen anderen.',
      expired: 'Dieser Code ist abgelaufen. Machen Sie ohne ihn weiter, oder nehmen Sie einen anderen.',
      'other-drop':
        'Dieser Code gilt für einen anderen Drop. Heben Sie ihn dafür auf, und machen Sie ohne ihn weiter.',
      'other-currency': 'Dieser Code gilt für Preise in einer anderen Währung. Machen Sie ohne ihn weiter.',
      'below-minimum':
        'Dieser Code verlangt einen größeren Einkauf. Wählen Sie mehr, oder machen Sie ohne ihn weiter.',
      'nothing-eligible':
        'Dieser Code gilt für andere Artikel oder für mehr Stück, als Sie gewählt haben. Ändern Sie die Auswahl, oder machen Sie ohne ihn weiter.',
      'used-up':
        'Dieser Code wurde so oft eingelöst, wie er gilt. Machen Sie ohne ihn weiter, oder nehmen Sie einen anderen.',
      'buyer-limit':
        'Sie haben diesen Code so oft eingelöst, wie Sie dürfen. Machen Sie ohne ihn weiter, oder nehmen Sie einen anderen.',
    },
    total: 'Summe',
    pricing: 'Der Preis wird berechnet …',
    release: 'Zurücklegen',
    name: 'Name',
    email: 'E-Mail',
    line1: 'Straße und Hausnummer',
    line2: 'Wohnung, Stockwerk (freiwillig)',
    city: 'Ort',
    postcode: 'Postleitzahl',
    country: 'Land',
    toPayment: 'Weiter zur Zahlung',
    toPaymentOf: (total: string) => `Weiter mit ${total}`,
    preparing: 'Die Zahlung wird vorbereitet …',
    requote: 'Ihre Adresse ändert den Preis. Dies ist der neue; Ihre Stücke bleiben reserviert.',
    payBefore: 'Noch Zeit zum Zahlen',
    payNow: (total: string) => `${total} zahlen`,
    paying: 'Die Bank wird gefragt …',
    cardLoading: 'Das Zahlungsformular lädt …',
    cardFailed:
      'Das Zahlungsformular ließ sich nicht laden. Ihre Stücke bleiben reserviert: Versuchen Sie es wieder.',
    seeOrder: 'Zur Bestellung',
    confirming: 'Die Bank hat zugestimmt. Ihre Stücke werden zugeteilt …',
    declined: {
      card_declined: 'Ihre Karte wurde abgelehnt.',
      insufficient_funds: 'Auf dieser Karte ist nicht genug Geld.',
      expired_card: 'Diese Karte ist abgelaufen.',
      incorrect_cvc: 'Die Prüfnummer (CVC) stimmt nicht.',
      processing_error: 'Die Bank war für einen Moment nicht erreichbar.',
      payment_intent_authentication_failure: 'Ihre Bank hat nicht bestätigt, dass Sie es sind.',
      api_connection_error: 'Der Zahlungsdienst war nicht erreichbar.',
      other: (message: string) => message || 'Die Zahlung ist nicht gelungen.',
      incomplete: 'Füllen Sie erst die Zahlungsangaben aus.',
      tail: 'Versuchen Sie es wieder, oder nehmen Sie eine andere Karte; Ihre Stücke bleiben reserviert, und nichts wurde abgebucht.',
    },
    outcome: {
      'not-shippable-country': 'In dieses Land können wir nicht liefern. Wählen Sie ein anderes.',
      'not-shippable-method': 'Diese Versandart gibt es dorthin nicht. Wählen Sie eine andere.',
      'below-minimum':
        'Das ist weniger, als sich mit Karte zahlen lässt. Nehmen Sie etwas dazu, oder mehr davon.',
      busy: 'In diesem Moment fragen viele nach Preisen. Versuchen Sie es in einer Sekunde wieder.',
      'sold-out': (title: string) =>
        `${title} ist ausverkauft. Wählen Sie etwas anderes, wenn noch etwas da ist.`,
      'all-held': (title: string) =>
        `Alle Stücke von ${title} sind gerade in anderen Händen. Einige können zurückkommen: Versuchen Sie es gleich wieder, solange Ihre Zeit läuft.`,
      'limit-buyer': (max: number) =>
        `Sie hätten mehr als ${count(max)} aus diesem Drop; das ist das Höchste für jeden. Wählen Sie weniger.`,
      'limit-pass': 'Sie haben schon etwas reserviert. Bezahlen Sie das, oder legen Sie es erst zurück.',
      'pass-expired': 'Die Zeit zum Kaufen ist abgelaufen, und Ihr Platz ging an den Nächsten.',
      'quote-expired': 'Der Preis galt nur für eine Weile. Er ist erneuert: Versuchen Sie es wieder.',
      'not-open': 'Der Drop ist nicht offen. Warten Sie, bis er öffnet.',
      paused:
        'Der Drop ist im Moment angehalten. Versuchen Sie es wieder, wenn es weitergeht; Sie bleiben dran, solange Ihre Zeit läuft.',
      conflict: 'Diese Reservierung war für etwas anderes. Beginnen Sie neu.',
      'hold-expired':
        'Die Reservierung ist abgelaufen, und die Stücke liegen wieder im Regal. Wählen Sie neu, solange Ihre Zeit läuft.',
      released:
        'Die Reservierung ist zu Ende, und die Stücke liegen wieder im Regal. Wählen Sie neu, solange Ihre Zeit läuft.',
      'pay-sold-out':
        'Die letzten Stücke gingen an andere, bevor Ihre Zahlung begann. Es wurde nichts abgebucht.',
      'pay-all-held':
        'Alle Stücke sind gerade in anderen Händen. Einige können zurückkommen: Versuchen Sie es gleich wieder.',
    },
  },

  order: {
    title: 'Ihre Bestellung',
    mine: 'Ihre Bestellungen',
    none: 'Noch keine Bestellungen',
    noneHint: 'Was Sie in diesem Browser kaufen, steht hier, mit den Nummern Ihrer Stücke.',
    missing: 'In diesem Browser gibt es diese Bestellung nicht',
    missingHint: 'Bestellungen zeigt der Browser, in dem sie gemacht wurden.',
    placed: (when: string) => `Bestellt ${when}`,
    paidAt: (when: string) => `Bezahlt ${when}`,
    serials: 'Ihre Nummern',
    totals: 'Was es gekostet hat',
    refunded: 'Erstattet',
    toDrop: 'Zum Drop',
    goOn: 'Weiter mit der Zahlung',
    more: 'Ältere Bestellungen zeigen',
    short: {
      pending: 'Noch nicht bezahlt',
      closing: 'Endet',
      authorized: 'Wird zugeteilt',
      cancelling: 'Wird storniert',
      paid: 'Bezahlt',
      fulfilled: 'Verschickt',
      refunded: 'Erstattet',
      cancelled: 'Storniert',
      expired: 'Nicht rechtzeitig bezahlt',
    },
    failed:
      'Ihre Bestellungen ließen sich nicht laden. Prüfen Sie Ihre Verbindung und versuchen Sie es wieder.',
    number: (orderId: string) => `Bestellung ${orderId}`,
    serial: (serial: number, total: number) => `Nummer ${count(serial)} von ${count(total)}`,
    status: {
      pending: 'Wartet auf Ihre Zahlung.',
      closing: 'Die Zeit zum Zahlen ist zu Ende; bei der Bank wird nachgesehen, ob noch eine Zahlung kam.',
      authorized: 'Die Bank hat zugestimmt. Ihre Stücke werden zugeteilt …',
      cancelling: 'Die Bestellung wird storniert, und die Zahlung mit ihr.',
      paid: 'Bezahlt. Es gehört Ihnen.',
      fulfilled: 'Auf dem Weg zu Ihnen.',
      refunded: 'Ganz erstattet. Das Geld kommt in einigen Tagen auf Ihre Karte zurück.',
      cancelled: 'Storniert. Es wurde nichts abgebucht.',
      expired: 'Nicht rechtzeitig bezahlt. Es wurde nichts abgebucht, und die Stücke liegen wieder im Regal.',
    },
    reason: {
      'window-ended': 'Die Zeit zum Zahlen war zu Ende.',
      'hold-expired': 'Die Reservierung war abgelaufen.',
      'cancelled-by-shop': 'Der Laden hat sie storniert. Fragen Sie ihn, wenn Sie nicht wissen, warum.',
      'too-many-declines':
        'Zu viele Zahlungen wurden abgelehnt. Fragen Sie Ihre Bank, bevor Sie es wieder versuchen.',
      'payment-cancelled': 'Die Zahlung wurde abgebrochen.',
      'payment-refused':
        'Die Zahlung konnte nicht eingezogen werden. Nehmen Sie nächstes Mal eine andere Karte.',
      'card-limit':
        'Mit dieser Karte wurde schon so viel aus diesem Drop gekauft, wie eine Karte darf. Die Zahlung wurde storniert, nicht abgebucht.',
      'sold-out': 'Als die Zahlung ankam, war kein Stück mehr da; sie wurde storniert, nicht abgebucht.',
      'capture-failed':
        'Die Bank hat nicht ausgezahlt, was sie zugesagt hatte. Nehmen Sie nächstes Mal eine andere Karte.',
    },
    again: 'Schließen',
  },

  products: {
    title: 'Der Katalog',
    lowestBefore: (price: string) => `Reduziert. Niedrigster Preis der 30 Tage davor: ${price}`,
    search: 'Im Katalog suchen',
    placeholder: 'Zum Beispiel „lamp“ oder eine Marke',
    suggestions: 'Vorschläge',
    clearSearch: 'Suche leeren',
    kinds: { query: 'Suche', brand: 'Marke', category: 'Kategorie', product: 'Produkt' },
    found: (total: number) => counted(total, 'Produkt', 'Produkte'),
    none: (query: string) => `Nichts gefunden für „${query}“. Versuchen Sie weniger oder andere Wörter.`,
    empty: 'Der Katalog ist leer. Produkte erscheinen hier, sobald der Laden welche angelegt hat.',
    failed: 'Die Suche antwortet im Moment nicht. Der Verkauf ist davon nicht betroffen.',
    degraded: 'Die Suche arbeitet im Moment weniger genau.',
    brand: 'Marke',
    category: 'Kategorie',
    clear: 'Filter entfernen',
    from: (price: string) => `ab ${price}`,
    more: 'Mehr zeigen',
    sort: 'Sortieren nach',
    sorts: {
      relevance: 'Bester Treffer',
      'price-asc': 'Niedrigster Preis',
      'price-desc': 'Höchster Preis',
      popularity: 'Am meisten gefragt',
      newest: 'Neueste',
    },
    price: 'Preis',
    priceFrom: 'Niedrigster Preis',
    priceTo: 'Höchster Preis',
    inStock: 'Nur, was ein Drop vorrätig hat',
    filters: 'Filter',
    filtersSet: (number: number) => `Filter (${count(number)})`,
    missing: 'Dieses Produkt gibt es nicht',
    variants: 'Varianten',
    onSale: 'In einem Drop zu haben',
    notOnSale:
      'Zurzeit in keinem Drop. Verkauft wird nur in Drops; der nächste ist auf der ersten Seite angekündigt.',
    picture: (number: number) => `Bild ${count(number)}`,
    seeAll: 'Den ganzen Katalog ansehen',
  },

  account: {
    title: 'Ihre Daten',
    text: 'Hier kaufen Sie ohne Konto: Dieser Browser hält eine Sitzung, und der Laden behält die Bestellungen daraus.',
    buyer: 'Ihre Nummer bei diesem Laden',
    noBuyer: 'Noch keine: Eine Sitzung beginnt mit Ihrem ersten Platz in einer Schlange.',
    export: 'Ihre Daten mitnehmen',
    exportText: 'Alles, was der Laden über Sie hat, als JSON-Datei: Bestellungen, Adressen und Zahlungen.',
    exportDo: 'Herunterladen',
    exported: (orders: number) => `Heruntergeladen: ${counted(orders, 'Bestellung', 'Bestellungen')}.`,
    erase: 'Ihre Daten löschen',
    eraseText:
      'Name, Adressen und E-Mail-Adressen werden aus allen Bestellungen entfernt. Beträge bleiben, wie das Gesetz es von Rechnungen verlangt. Das lässt sich nicht rückgängig machen.',
    eraseDo: 'Meine Daten löschen …',
    eraseSure: 'Endgültig löschen?',
    eraseYes: 'Ja, löschen',
    eraseNo: 'Behalten',
    erased: (orders: number) =>
      `Gelöscht. ${counted(orders, 'Bestellung nennt', 'Bestellungen nennen')} Sie nicht mehr.`,
    conflict:
      'Einige Bestellungen laufen noch. Warten Sie, bis sie bezahlt oder zu Ende sind, und löschen Sie dann wieder:',
  },

  errors: {
    network:
      'Der Server hat nicht geantwortet. Prüfen Sie Ihre Verbindung und versuchen Sie es wieder; nichts ging verloren.',
    later: 'Zu viele Anfragen auf einmal. Warten Sie einen Moment und versuchen Sie es wieder.',
    session: 'Ihre Sitzung ist zu Ende. Laden Sie die Seite neu, um eine neue zu beginnen.',
    unexpected: (message: string) => `Das hat nicht geklappt: ${message}`,
  },
};
