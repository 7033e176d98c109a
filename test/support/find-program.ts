import { findTool, TOOLS } from '../../tools/test/needs.mjs';

/** The path of a tool that tests may declare with `// @needs`. Throws, saying how to get it, when it is not there. */
export function findProgram(tool: string): string {
  const path = findTool(tool);
  if (path !== undefined) return path;
  throw new Error(`${tool} is not installed (on Debian: apt-get install ${TOOLS[tool]?.package})`);
}
