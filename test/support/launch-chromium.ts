import { chromium, type Browser } from 'playwright-core';

import { findProgram } from './find-program.ts';

/** Debian's Chromium, driven by playwright-core. The caller closes it. The test file declares `// @needs chromium`. */
export function launchChromium(): Promise<Browser> {
  // Chromium refuses its sandbox to root; a container's /dev/shm is often too small for it.
  const args = ['--disable-dev-shm-usage', ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])];
  return chromium.launch({ executablePath: findProgram('chromium'), args });
}
