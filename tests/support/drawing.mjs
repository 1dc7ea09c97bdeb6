// Looks at a drawing in a real browser, light and dark: whether its texts lie in the frame and can be read.
//
// Usage: node drawing.mjs FOLDER SVG, where FOLDER is the one that `chromium.mjs` has unpacked.
import { basename } from 'node:path';
import { pathToFileURL } from 'node:url';
import { launch } from '../oracles/npm/browser/chromium.mjs';

const [folder, drawing] = process.argv.slice(2);
const browser = await launch(folder);
const tab = await browser.newPage();
const outside = [];
let contrast = Infinity;
let lines = 0;
for (const scheme of ['light', 'dark']) {
  await tab.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
  await tab.goto(pathToFileURL(drawing).href);
  const seen = await tab.evaluate(() => {
    const luminance = (color) => {
      const [r, g, b] = color.match(/[\d.]+/g).map((part) => {
        const value = Number(part) / 255;
        return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const frame = document.querySelector('.paper').getBoundingClientRect();
    const paper = luminance(getComputedStyle(document.querySelector('.paper')).fill);
    const texts = [...document.querySelectorAll('text')];
    const lies = (box) => box.left >= frame.left && box.right <= frame.right && box.bottom <= frame.bottom;
    const ratio = (element) => {
      const ink = luminance(getComputedStyle(element).fill);
      return (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
    };
    return {
      outside: texts.filter((text) => !lies(text.getBoundingClientRect())).map((text) => text.textContent),
      contrast: Math.min(...[...document.querySelectorAll('text, tspan')].map(ratio)),
      lines: texts.length,
    };
  });
  outside.push(...seen.outside);
  contrast = Math.min(contrast, seen.contrast);
  lines = seen.lines;
  if (process.env.KILN_SCREENSHOTS) {
    await tab.setViewport({ width: 860, height: 400 });
    const name = basename(drawing, '.svg');
    await tab.screenshot({ path: `${process.env.KILN_SCREENSHOTS}/${name}-${scheme}.png`, fullPage: true });
  }
}
await browser.close();
console.log(JSON.stringify({ outside, contrast, lines }));
