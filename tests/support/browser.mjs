// Looks at a page in a real browser, light and dark, on a wide and on a narrow screen.
//
// Usage: node browser.mjs FOLDER PAGE, where FOLDER is the one that `chromium.mjs` has unpacked.
// Prints one line of JSON: what was found in each view, and all that went wrong.
import { pathToFileURL } from 'node:url';
import { launch } from '../oracles/npm/browser/chromium.mjs';

const [folder, page] = process.argv.slice(2);
const browser = await launch(folder);
const views = [];
const problems = [];
const tab = await browser.newPage();
tab.on('console', (message) => problems.push(message.text()));
tab.on('pageerror', (error) => problems.push(String(error)));
tab.on('request', (request) => {
  if (!request.url().startsWith('file:')) problems.push(`asks for ${request.url()}`);
});
for (const scheme of ['light', 'dark']) {
  for (const width of [1100, 360]) {
    await tab.setViewport({ width, height: 900 });
    await tab.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
    await tab.goto(pathToFileURL(page).href);
    views.push(await tab.evaluate((scheme, width) => {
      const luminance = (color) => {
        const [r, g, b] = color.match(/[\d.]+/g).map((part) => {
          const value = Number(part) / 255;
          return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      // The background that is seen behind an element: its own, or the nearest one that is not clear.
      const behind = (element) => {
        for (let at = element; at; at = at.parentElement) {
          const color = getComputedStyle(at).backgroundColor;
          if (color !== 'rgba(0, 0, 0, 0)') return color;
        }
        return 'rgb(255, 255, 255)';
      };
      const contrast = (element) => {
        const pair = [getComputedStyle(element).color, behind(element)].map(luminance).sort();
        return (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
      };
      const texts = [...document.querySelectorAll('main *')].filter((element) =>
        [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim()));
      const root = document.documentElement;
      return {
        scheme,
        width,
        background: getComputedStyle(document.body).backgroundColor,
        overflows: root.scrollWidth > root.clientWidth,
        texts: texts.length,
        contrast: Math.min(...texts.map(contrast)),
        objects: document.querySelectorAll('details').length,
      };
    }, scheme, width));
    if (process.env.KILN_SCREENSHOTS) {
      await tab.screenshot({ path: `${process.env.KILN_SCREENSHOTS}/${scheme}-${width}.png`, fullPage: true });
    }
  }
}
await browser.close();
console.log(JSON.stringify({ views, problems }));
