// What visitors type over the real products, and what must come first: the titles of the first results, in their
// order as far as it matters. Judged by hand over the catalog of ../shared/data, once, and held since.

export interface RelevanceQuery {
  readonly typed: string;
  /** How many of the first results are judged. */
  readonly firstCount: number;
  /** What each of them says, in title or brand. */
  readonly each: RegExp;
  /** The very first. */
  readonly first?: RegExp;
}

export const relevanceQueries: Record<string, readonly RelevanceQuery[]> = {
  'a mistyped word': [
    { typed: 'samsnug', firstCount: 10, each: /samsung/i },
    { typed: 'iphnoe', firstCount: 10, each: /iphone/i, first: /^Apple - iPhone 7/ },
    { typed: 'otterbx defender', firstCount: 5, each: /otterbox - defender/i },
    { typed: 'motorla', firstCount: 10, each: /motorola|moto/i },
    { typed: 'samsnug galxy', firstCount: 10, each: /samsung.*galaxy/i },
    { typed: 'aple iphone', firstCount: 10, each: /apple - iphone/i },
    { typed: 'blutooth headset', firstCount: 3, each: /bluetooth/i },
    { typed: 'plantronix', firstCount: 3, each: /plantronics/i },
    { typed: 'screen protecter', firstCount: 10, each: /screen protector/i },
    { typed: 'lightening cable', firstCount: 5, each: /lightning.*cable/i },
    { typed: 'charegr', firstCount: 5, each: /charger/i },
    { typed: 'blackbery', firstCount: 5, each: /blackberry/i },
  ],
  'the beginning of a word': [
    { typed: 'sams', firstCount: 10, each: /samsung/i },
    { typed: 'otterb', firstCount: 10, each: /otterbox/i },
    { typed: 'motor', firstCount: 5, each: /motor/i },
    { typed: 'galaxy s7 ed', firstCount: 5, each: /galaxy s7 edge/i },
    { typed: 'iphone 7 pl', firstCount: 5, each: /iphone.? 7 plus/i },
    { typed: 'lifepr', firstCount: 10, each: /lifeproof/i },
    { typed: 'screen prot', firstCount: 10, each: /screen protector/i },
    { typed: 'insig', firstCount: 5, each: /insignia/i },
  ],
  'a brand and a kind of thing': [
    {
      typed: 'samsung galaxy s7',
      firstCount: 5,
      each: /^Samsung - Galaxy S7/,
      first: /S7 32GB - Black Onyx/,
    },
    { typed: 'iphone 6s', firstCount: 4, each: /^Apple - iPhone 6s/ },
    { typed: 'apple lightning cable', firstCount: 5, each: /lightning/i, first: /^Apple - / },
    { typed: 'lg g5', firstCount: 4, each: /^LG - G5/ },
    { typed: 'motorola moto g', firstCount: 4, each: /^Motorola - Moto G/ },
    { typed: 'nexus 6p', firstCount: 3, each: /Nexus 6P/ },
    { typed: 'mophie juice pack', firstCount: 5, each: /^mophie - Juice Pack/i },
    { typed: 'sony xperia', firstCount: 5, each: /^Sony - Xperia/i },
    { typed: 'zagg screen protector', firstCount: 5, each: /^ZAGG - .*Screen Protector/ },
    { typed: 'fitbit', firstCount: 4, each: /fitbit/i, first: /^Fitbit - / },
    { typed: 'garmin', firstCount: 1, each: /^Garmin - / },
    { typed: 'netgear router', firstCount: 1, each: /^NETGEAR - / },
  ],
  'the many, and the one': [
    { typed: 'car chargers', firstCount: 3, each: /charger/i },
    { typed: 'chargers', firstCount: 3, each: /charge/i },
    { typed: 'iphone cases', firstCount: 5, each: /case/i },
    { typed: 'screen protectors', firstCount: 5, each: /screen protector/i },
    { typed: 'sim cards', firstCount: 3, each: /sim/i },
  ],
  'the words in another order': [
    { typed: 's7 galaxy', firstCount: 5, each: /^Samsung - Galaxy S7/, first: /S7 32GB - Black Onyx/ },
    { typed: 'defender otterbox', firstCount: 5, each: /otterbox - defender/i },
    { typed: 'charger car', firstCount: 3, each: /car.*charger|charger.*car/i },
    { typed: 'cable lightning', firstCount: 5, each: /lightning/i },
    { typed: 'g moto', firstCount: 3, each: /moto/i },
    { typed: 'protector screen zagg', firstCount: 5, each: /^ZAGG - .*Screen Protector/ },
  ],
};

/** Of these the catalog has nothing. */
export const vainQueries = ['xqzvwyk', 'qqqq zzzz', 'microwave', 'refrigerator', 'dishwasher', 'chromecast'];
