// Takes a picture of a page in a real browser.
//
// Usage: node picture.mjs FOLDER PAGE PNG WIDTH HEIGHT SCHEME, where FOLDER is the one that `chromium.mjs`
// has unpacked.
import { pathToFileURL } from 'node:url';
import { launch } from '../oracles/npm/browser/chromium.mjs';

const [folder, page, png, width, height, scheme] = process.argv.slice(2);
const browser = await launch(folder);
const tab = await browser.newPage();
await tab.setViewport({ width: Number(width), height: Number(height), deviceScaleFactor: 1 });
await tab.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
await tab.goto(pathToFileURL(page).href);
await tab.screenshot({ path: png });
await browser.close();
