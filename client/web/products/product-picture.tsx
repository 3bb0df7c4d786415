import { useCallback, useState } from 'react';
import { type Drawing, shapeOf } from './shapes.ts';

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
  /** The page's main picture, which is not to wait until it is scrolled to. */
  isFirst?: boolean;
}) {
  const { title, image, colour, icon, isFirst = false } = props;
  const [failed, setFailed] = useState<string | null>(null);
  return (
    <span className="product-picture">
      {image !== undefined && image !== failed ? (
        <img
          src={image}
          alt=""
          loading={isFirst ? 'eager' : 'lazy'}
          decoding="async"
          referrerPolicy="no-referrer"
          width="400"
          height="300"
          onError={() => setFailed(image)}
        />
      ) : (
        <DrawnPicture colour={colourOf(colour, title)} drawing={shapeOf({ icon, text: title })} />
      )}
    </span>
  );
}

function DrawnPicture({ colour, drawing }: { colour: string; drawing: Drawing }) {
  // In the stylesheet the colour is mixed with the text's, so that bone on white and night on black can still be seen.
  const tone = useCallback((svg: SVGSVGElement | null) => svg?.style.setProperty('--tone', colour), [colour]);
  return (
    <svg ref={tone} viewBox="0 0 80 60" aria-hidden="true">
      <rect className="picture-ground" width="80" height="60" />
      <circle className="picture-ground" cx="40" cy="30" r="23" />
      <g transform="translate(17.2 7.2) scale(0.95)">
        <path className="picture-area" d={drawing.areas} />
        <path className="picture-line" d={drawing.lines} />
      </g>
    </svg>
  );
}

/** The shop's own colour where the browser knows it; it is data, and goes into a style only once it is one. */
function colourOf(colour: string | undefined, title: string): string {
  const plain = colour?.toLowerCase().replaceAll(/[\s-]/g, '') ?? '';
  if (/^(#[0-9a-f]{3,8}|[a-z]+)$/.test(plain) && CSS.supports('color', plain) && !notAColour.has(plain))
    return plain;
  let hash = 0;
  for (const letter of title) hash = (hash * 31 + (letter.codePointAt(0) ?? 0)) % 65_521;
  return `hsl(${hues[hash % hues.length] ?? 172} 42% 48%)`;
}

/** Words that a browser takes for a colour, and a shop would not mean as one. */
const notAColour = new Set(['transparent', 'currentcolor', 'inherit', 'initial', 'unset', 'revert']);
