// Simple drawings of kinds of goods, for products without photographs: paths in a box of 48 × 48, drawn as lines.

const shapes = {
  backpack: 'M12 41V20a12 12 0 0 1 24 0v21zM18 9V7h12v2M17 41V29h14v12M17 33h14M20 18h8',
  bike: 'M12 32m-7 0a7 7 0 1 0 14 0 7 7 0 1 0-14 0zM36 32m-7 0a7 7 0 1 0 14 0 7 7 0 1 0-14 0zM12 32l7-14h12l5 14M19 18l6 14M31 18l-6 14H12M29 13h4M16 15h6',
  binoculars:
    'M8 33l5-20h7l2 8h4l2-8h7l5 20zM14 33m-6 0a6 6 0 1 0 12 0 6 6 0 1 0-12 0zM34 33m-6 0a6 6 0 1 0 12 0 6 6 0 1 0-12 0zM20 33h8',
  blanket: 'M8 14h32v9H8zM8 23h32v9H8zM8 32h28v7H8zM12 39v3M18 39v3M24 39v3M30 39v3',
  bottle: 'M20 6h8v8c5 4 5 8 5 12v15H15V26c0-4 0-8 5-12zM15 27h18',
  box: 'M8 16 24 8l16 8v17l-16 8-16-8zM8 16l16 8 16-8M24 24v17',
  camera: 'M7 15h9l3-5h10l3 5h9v23H7zM24 26m-7 0a7 7 0 1 0 14 0 7 7 0 1 0-14 0z',
  chair: 'M14 8h20v20H14zM14 28l-2 12M34 28l2 12M12 34h24',
  charger: 'M14 16h20v11a10 10 0 0 1-20 0zM19 16V8M29 16V8M24 37v5M25 20l-4 5h6l-4 5',
  cup: 'M11 17h22v14a8 8 0 0 1-8 8h-6a8 8 0 0 1-8-8zM33 20h3a4.5 4.5 0 0 1 0 9h-3M18 8c-2 2 2 3 0 5M26 8c-2 2 2 3 0 5',
  dice: 'M8 22h20v20H8zM24 8l16 7-6 15-6-2.500V22h-8zM13 27h.1M18 32h.1M23 37h.1M29 16h.1M33 20h.1',
  frame: 'M8 7h32v34H8zM14 13h20v22H14zM14 31l7-8 5 5 3-3 5 6M28 18h.1',
  game: 'M14 15h20a9 9 0 0 1 8 13l-2 6c-2 3-6 2-8-2l-1-2H17l-1 2c-2 4-6 5-8 2l-2-6a9 9 0 0 1 8-13zM15 20v6M12 23h6M31 21h.1M34 25h.1',
  gift: 'M7 17h34v7H7zM10 24h28v17H10zM24 17v24M24 17c-9 0-11-9-6-9 4 0 6 5 6 9zM24 17c9 0 11-9 6-9-4 0-6 5-6 9z',
  headphones: 'M9 29v-4a15 15 0 0 1 30 0v4M8 28h6v11H8zM34 28h6v11h-6z',
  jacket: 'M18 8l-9 6-2 24h6V24v16h22V24v14h6l-2-24-9-6-6 6zM24 14v26M17 31h3M28 31h3',
  jar: 'M16 7h16v6H16zM14 13h20c3 3 3 5 3 8v17a3 3 0 0 1-3 3H14a3 3 0 0 1-3-3V21c0-3 0-5 3-8zM16 23h16v11H16z',
  kettle: 'M14 20h20l4 18a3 3 0 0 1-3 3H13a3 3 0 0 1-3-3zM14 20c-1-15 21-15 20 0M21 16h6v4h-6zM37 27l5-6v-4',
  keyboard: 'M5 14h38v20H5zM11 20h2M18 20h2M25 20h2M32 20h5M11 25h2M18 25h2M25 25h2M32 25h5M15 30h18',
  knife: 'M6 33h14v5H6zM20 38V28C24 17 32 11 42 9c-1 12-7 20-14 24h-8z',
  lamp: 'M17 8h14l6 15H11zM24 23v17M15 40h18M30 23v6',
  laptop: 'M11 11h26v19H11zM7 30h34l3 6H4z',
  mouse: 'M14 20a10 10 0 0 1 20 0v10a10 10 0 0 1-20 0zM14 23h20M24 10v13',
  notebook: 'M12 7h24v34H12zM18 7v34M23 15h8M23 20h8M9 13h6M9 20h6M9 27h6M9 34h6',
  pan: 'M6 20h25v7a8 8 0 0 1-8 8h-9a8 8 0 0 1-8-8zM31 21h12v4H31zM14 8c-2 2 2 3 0 6M22 8c-2 2 2 3 0 6',
  pen: 'M31 8l9 9-23 23-11 2 2-11zM27 12l9 9M6 42l9-2',
  phone: 'M15 6h18v36H15zM21 37h6',
  plant: 'M16 30h16l-2 11H18zM24 30V18M24 20c-8 0-10-5-10-10 7 0 10 4 10 10zM24 24c7 0 9-4 9-8-6 0-9 3-9 8z',
  puzzle: 'M8 16h10c-2-7 10-7 8 0h10v10c7-2 7 10 0 8v8H8V32c7 2 7-10 0-8z',
  record:
    'M24 24m-17 0a17 17 0 1 0 34 0 17 17 0 1 0-34 0zM24 24m-5 0a5 5 0 1 0 10 0 5 5 0 1 0-10 0zM24 13a11 11 0 0 1 11 11',
  screen: 'M6 10h36v23H6zM24 33v6M16 40h16',
  shirt: 'M17 8 7 14l4 8 4-2v20h18V20l4 2 4-8-10-6c-2 5-12 5-14 0z',
  shoe: 'M6 33h36v4H6zM6 33V19c5 3 9 1 11-3l11 10c4 2 14 1 14 7zM21 20l-3 3M25 24l-3 3',
  speaker:
    'M14 7h20v34H14zM24 17m-3 0a3 3 0 1 0 6 0 3 3 0 1 0-6 0zM24 30m-6 0a6 6 0 1 0 12 0 6 6 0 1 0-12 0z',
  sweater: 'M18 8 8 14 6 36h7V23v17h22V23v13h7l-2-22-10-6c-2 4-10 4-12 0zM13 36h22M18 8c1 6 11 6 12 0',
  tent: 'M24 9 6 39h36zM24 24l-7 15M24 24l7 15',
  torch: 'M16 7h16v6l-4 5v23h-8V18l-4-5zM16 13h16M24 24v5',
  turntable:
    'M5 11h38v26H5zM19 24m-9 0a9 9 0 1 0 18 0 9 9 0 1 0-18 0zM19 24m-2 0a2 2 0 1 0 4 0 2 2 0 1 0-4 0zM37 16v10l-5 6M35 16h4',
  watch: 'M18 15l1-8h10l1 8zM18 33l1 8h10l1-8zM24 24m-10 0a10 10 0 1 0 20 0 10 10 0 1 0-20 0zM24 18v6l4 3',
} as const;

export type ShapeName = keyof typeof shapes;

/** Which words speak for which drawing; the first that fits counts. */
const words: readonly (readonly [ShapeName, RegExp])[] = [
  ['headphones', /head ?phone|ear ?(bud|phone)|headset/],
  ['speaker', /speaker|soundbar|subwoofer|radio|\bamp(lifier)?\b/],
  ['camera', /camera|lens|camcorder|webcam/],
  ['laptop', /laptop|notebook computer|macbook|chromebook/],
  ['screen', /\btv\b|television|monitor|display|screen/],
  ['mouse', /\bmouse/],
  ['keyboard', /keyboard|keypad/],
  ['charger', /charger|battery|power|adapter|cable/],
  ['game', /game|controller|console|playstation|xbox|nintendo/],
  ['phone', /phone|galaxy|tablet|ipad/],
  ['watch', /watch|clock|tracker/],
  ['kettle', /kettle|pot\b/],
  ['cup', /cup|mug|coffee|\btea|espresso/],
  ['lamp', /lamp|light|lantern|bulb/],
  ['chair', /chair|stool|bench|sofa|seat/],
  ['shoe', /shoe|sneaker|boot|trainer|runner/],
  ['jacket', /jacket|coat|parka|anorak/],
  ['sweater', /sweater|hoodie|jumper|knit/],
  ['shirt', /shirt|tee\b|jersey|wear/],
  ['backpack', /\bbag|backpack|tote|case|pack\b|wallet/],
  ['notebook', /book|journal|zine/],
  ['frame', /print|poster|picture|frame/],
  ['plant', /plant|vase|planter|garden/],
  ['turntable', /turntable/],
  ['record', /record|vinyl|album|\blp\b|music/],
  ['bike', /bike|bicycle|cycle/],
  ['bottle', /bottle|flask|wine|whisk|oil/],
  ['pan', /\bpan\b|cook/],
  ['knife', /knife|kitchen|chef/],
  ['tent', /tent|camp|outdoor/],
];

export interface Drawing {
  readonly lines: string;
  /** The closed ones among the lines: what can be filled. */
  readonly areas: string;
}

/** The drawing for a product: what its attribute names, else what its words suggest, else a parcel. */
export function shapeOf(hints: { icon?: string | undefined; text: string }): Drawing {
  const named = hints.icon?.toLowerCase() ?? '';
  const text = hints.text.toLowerCase();
  const name = isShape(named) ? named : (words.find(([, pattern]) => pattern.test(text))?.[0] ?? 'box');
  const lines = shapes[name];
  const parts = lines.split(/(?=M)/);
  return { lines, areas: parts.filter(part => part.endsWith('z')).join('') };
}

function isShape(name: string): name is ShapeName {
  return Object.hasOwn(shapes, name);
}
