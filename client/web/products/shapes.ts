// Simple drawings of kinds of goods, for products without photographs: paths in a box of 48 × 48, drawn as lines.

const shapes = {
  box: 'M8 16 24 8l16 8v17l-16 8-16-8zM8 16l16 8 16-8M24 24v17',
  cup: 'M11 17h22v14a8 8 0 0 1-8 8h-6a8 8 0 0 1-8-8zM33 20h3a4.5 4.5 0 0 1 0 9h-3M18 8c-2 2 2 3 0 5M26 8c-2 2 2 3 0 5',
  lamp: 'M17 8h14l6 15H11zM24 23v14M16 40h16M30 23v5',
  chair: 'M14 8v20h20V8M14 14h20M14 28l-2 12M34 28l2 12M12 34h24',
  headphones: 'M9 29v-4a15 15 0 0 1 30 0v4M9 29h5v10H9zM34 29h5v10h-5z',
  speaker: 'M14 7h20v34H14zM24 17m-3 0a3 3 0 1 0 6 0 3 3 0 1 0-6 0M24 30m-6 0a6 6 0 1 0 12 0 6 6 0 1 0-12 0',
  shoe: 'M6 33h36v4H6zM6 33V19c5 3 9 1 11-3l11 10c4 2 14 1 14 7M21 20l-3 3M25 24l-3 3',
  camera: 'M7 15h9l3-5h10l3 5h9v23H7zM24 26m-7 0a7 7 0 1 0 14 0 7 7 0 1 0-14 0',
  watch: 'M18 15l1-8h10l1 8M18 33l1 8h10l1-8M24 24m-10 0a10 10 0 1 0 20 0 10 10 0 1 0-20 0M24 18v6l4 3',
  bag: 'M10 17h28l2 23H8zM17 17v-3a7 7 0 0 1 14 0v3',
  book: 'M10 9h25v30H13a3 3 0 0 1 0-6h22M10 9v27M16 16h12M16 21h8',
  plant: 'M16 30h16l-2 11H18zM24 30V18M24 20c-8 0-10-5-10-10 7 0 10 4 10 10M24 24c7 0 9-4 9-8-6 0-9 3-9 8',
  record:
    'M24 24m-17 0a17 17 0 1 0 34 0 17 17 0 1 0-34 0M24 24m-5 0a5 5 0 1 0 10 0 5 5 0 1 0-10 0M24 13a11 11 0 0 1 11 11',
  keyboard: 'M5 14h38v20H5zM11 20h2M18 20h2M25 20h2M32 20h5M11 25h2M18 25h2M25 25h2M32 25h5M15 30h18',
  phone: 'M15 6h18v36H15zM21 37h6',
  laptop: 'M11 11h26v19H11zM5 36h38l-4-6H9z',
  screen: 'M6 10h36v23H6zM24 33v6M16 40h16',
  shirt: 'M17 8 7 14l4 8 4-2v20h18V20l4 2 4-8-10-6c-2 5-12 5-14 0z',
  bike: 'M12 32m-7 0a7 7 0 1 0 14 0 7 7 0 1 0-14 0M36 32m-7 0a7 7 0 1 0 14 0 7 7 0 1 0-14 0M12 32l7-14h12l5 14M19 18l6 14M31 18l-6 14H12M29 13h4M16 15h6',
  bottle: 'M20 6h8v8c5 4 5 8 5 12v15H15V26c0-4 0-8 5-12zM15 27h18',
  game: 'M14 15h20a9 9 0 0 1 8 13l-2 6c-2 3-6 2-8-2l-1-2H17l-1 2c-2 4-6 5-8 2l-2-6a9 9 0 0 1 8-13M15 20v6M12 23h6M31 21h.1M34 25h.1',
  knife: 'M8 34h13M21 37V27C25 17 32 11 41 9c-2 11-7 18-14 21h-6',
  tent: 'M24 9 6 39h36zM24 9v0M24 24l-7 15M24 24l7 15',
  jacket: 'M18 8l-9 6-2 24h6V24M30 8l9 6 2 24h-6V24M13 24v16h22V24M18 8l6 6 6-6M24 14v26',
} as const;

export type ShapeName = keyof typeof shapes;

/** Which words speak for which drawing; the first that fits counts. */
const words: readonly (readonly [ShapeName, RegExp])[] = [
  ['headphones', /head ?phone|ear ?(bud|phone)|headset/],
  ['speaker', /speaker|soundbar|subwoofer|radio|amp\b/],
  ['camera', /camera|lens|camcorder|webcam/],
  ['laptop', /laptop|notebook computer|macbook|chromebook/],
  ['screen', /\btv\b|television|monitor|display|screen/],
  ['keyboard', /keyboard|mouse|keypad/],
  ['game', /game|controller|console|playstation|xbox|nintendo/],
  ['phone', /phone|galaxy|tablet|ipad/],
  ['watch', /watch|clock|tracker/],
  ['cup', /cup|mug|coffee|tea|espresso|kettle|pot\b/],
  ['lamp', /lamp|light|lantern|bulb/],
  ['chair', /chair|stool|bench|sofa|seat/],
  ['shoe', /shoe|sneaker|boot|trainer|runner/],
  ['jacket', /jacket|coat|parka|anorak/],
  ['shirt', /shirt|tee\b|hoodie|sweater|jersey|wear/],
  ['bag', /\bbag|backpack|tote|case|pack\b|wallet/],
  ['book', /book|journal|notebook|zine|print|poster/],
  ['plant', /plant|vase|planter|garden/],
  ['record', /record|vinyl|turntable|album|\blp\b|music/],
  ['bike', /bike|bicycle|cycle/],
  ['bottle', /bottle|flask|wine|whisk|oil/],
  ['knife', /knife|kitchen|chef|pan\b/],
  ['tent', /tent|camp|outdoor/],
];

/** The drawing for a product: what its attribute names, else what its words suggest, else a parcel. */
export function shapeOf(hints: { icon?: string | undefined; text: string }): string {
  const named = hints.icon?.toLowerCase() ?? '';
  if (Object.hasOwn(shapes, named)) return shapes[isShape(named) ? named : 'box'];
  const text = `${named} ${hints.text}`.toLowerCase();
  const found = words.find(([, pattern]) => pattern.test(text));
  return shapes[found ? found[0] : 'box'];
}

function isShape(name: string): name is ShapeName {
  return Object.hasOwn(shapes, name);
}
