// Runs in the page that a browser shows, where there is no TypeScript: what a person could see of it.
(() => {
  /** Relative luminance and contrast as WCAG 2 defines them; 4.5 is enough for text of any size. */
  const ENOUGH = 4.5;
  const luminance = (colour) => {
    const [red, green, blue] = colour
      .match(/[\d.]+/g)
      .map((part) => Number(part) / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const contrast = (one, other) => {
    const [low, high] = [luminance(one), luminance(other)].toSorted((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const behind = (element) => {
    if (element === null) return 'rgb(255, 255, 255)';
    const colour = getComputedStyle(element).backgroundColor;
    return colour === 'rgba(0, 0, 0, 0)' ? behind(element.parentElement) : colour;
  };
  const hasText = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== '');
  const contrasts = [...document.body.querySelectorAll('*')]
    .filter(hasText)
    .map((element) => [element.textContent, contrast(getComputedStyle(element).color, behind(element))]);
  return {
    texts: contrasts.length,
    faint: contrasts.filter(([, value]) => value < ENOUGH).map(([text, value]) => `${value.toFixed(2)}: ${text}`),
    isDark: luminance(behind(document.querySelector('main'))) < 0.2,
    isTooWide: document.documentElement.scrollWidth > innerWidth,
    lang: document.documentElement.lang,
  };
})();
