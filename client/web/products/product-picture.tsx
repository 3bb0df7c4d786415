import { useState } from 'react';
import { shapeOf } from './shapes.ts';

/** Hues that sit well together, one picked by the name: the same product always looks the same. */
const hues = [14, 38, 88, 150, 172, 198, 226, 262, 320, 350] as const;

/**
 * The product's photograph where there is one and it loads; else a drawing. Both fill the same frame, so that nothing
 * moves when one takes the other's place.
 */
export function ProductPicture(props: {
  title: string;
  image?: string | undefined;
  colour?: string | undefined;
  icon?: string | undefined;
}) {
  const { title, image, colour, icon } = props;
  const [failed, setFailed] = useState<string | null>(null);
  return (
    <span className="product-picture">
      {image !== undefined && image !== failed ? (
        <img
          src={image}
          alt=""
          loading="lazy"
          decoding="async"
          referrerPolicy="no-referrer"
          width="400"
          height="300"
          onError={() => setFailed(image)}
        />
      ) : (
        <Drawing colour={colourOf(colour, title)} path={shapeOf({ icon, text: title })} />
      )}
    </span>
  );
}

function Drawing({ colour, path }: { colour: string; path: string }) {
  return (
    <svg viewBox="0 0 80 60" aria-hidden="true">
      <rect width="80" height="60" fill={colour} fillOpacity="0.16" />
      <circle cx="40" cy="31" r="22" fill={colour} fillOpacity="0.2" />
      <path
        d={path}
        transform="translate(17.2 7) scale(0.95)"
        fill={colour}
        fillOpacity="0.28"
        stroke={colour}
        strokeWidth="1.9"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  );
}

/** The shop's own colour where the browser knows it; it is data, so it is asked and never pasted into a style. */
function colourOf(colour: string | undefined, title: string): string {
  const plain = colour?.toLowerCase().replaceAll(/[\s-]/g, '') ?? '';
  if (plain !== '' && CSS.supports('color', plain) && !tooFaint.has(plain)) return plain;
  let hash = 0;
  for (const letter of title) hash = (hash * 31 + (letter.codePointAt(0) ?? 0)) % 65_521;
  return `hsl(${hues[hash % hues.length] ?? 172} 42% 48%)`;
}

/** A line drawing in these would not be seen on one of the two backgrounds. */
const tooFaint = new Set([
  'white',
  'black',
  'ivory',
  'snow',
  'transparent',
  'currentcolor',
  'inherit',
  'initial',
]);
