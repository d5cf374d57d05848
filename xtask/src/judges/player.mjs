// Plays a playlist in headless Chromium through hls.js and prints what was shown, as one JSON line.
// Usage: node player.mjs CHROMIUM PAGE_URL SECONDS
import puppeteer from 'puppeteer-core';

const [chromium, page_url, seconds] = process.argv.slice(2);
const browser = await puppeteer.launch({
  executablePath: chromium,
  headless: true,
  args: [
    '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync',
    '--disable-background-networking', '--disable-component-update', '--disable-dev-shm-usage',
    '--autoplay-policy=no-user-gesture-required',
  ],
});
try {
  const page = await browser.newPage();
  await page.goto(page_url);
  const ended = await page
    .waitForFunction('window.ended || window.failure', { timeout: 1000 * seconds, polling: 500 })
    .then(() => true, () => false);
  const result = await page.evaluate(() => {
    const video = document.querySelector('video');
    const quality = video.getVideoPlaybackQuality();
    return {
      shown: quality.totalVideoFrames,
      dropped: quality.droppedVideoFrames,
      ended: video.ended,
      at: video.currentTime,
      failure: window.failure ?? null,
    };
  });
  console.log(JSON.stringify({ ...result, ended: result.ended && ended }));
} finally {
  await browser.close();
}
