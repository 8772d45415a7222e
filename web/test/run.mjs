// The page's logic without a browser: `npm test`. Needs nothing but what builds the page.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { runnerImport } from "vite";
import tree from "./tree.mjs";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const load = async (path) => (await runnerImport(here(path))).module;

const tests = {
  async "the golden frame"() {
    const { decodeFrame } = await load("../src/lib/frame.ts");
    const golden = here("../../tests/console/golden/frame");
    const bytes = readFileSync(`${golden}.bin`);
    const told = JSON.parse(readFileSync(`${golden}.json`, "utf8"));
    const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
    const frame = decodeFrame(buffer);
    const list = (numbers) => Array.from(numbers, (number) => (Number.isNaN(number) ? null : number));
    assert.deepEqual(
      { ...frame, values: list(frame.values), agesS: list(frame.agesS), states: [...frame.states] },
      told,
    );
    assert.throws(() => decodeFrame(buffer.slice(0, -1)), /has 101 bytes/);
    assert.throws(() => decodeFrame(new ArrayBuffer(3)), /3 bytes/);
    const other = buffer.slice(0);
    new DataView(other).setUint8(0, 2);
    assert.throws(() => decodeFrame(other), /version 2/);
  },

  async "numbers keep their width and unit"() {
    const { powerScale, energyScale, written, rated, percent, duration, age } = await load("../src/lib/format.ts");
    const site = powerScale(750e3);
    assert.equal(site.unit, "kW");
    assert.equal(written(412_345, site), "412.3");
    assert.equal(written(9_960, site), "\u200710.0");
    assert.equal(written(412_345, site).length, written(1_234, site).length);
    assert.equal(written(-84_250, site), "\u221284.3");
    assert.equal(written(-20, site), "\u2007\u20070.0"); // no minus zero
    assert.equal(written(NaN, site), "\u2007\u2007\u2007\u2007–");
    assert.equal(rated(588e3, site), "588");
    assert.equal(rated(1_930e3, powerScale(1_930e3)), "1\u202f930");
    const large = powerScale(150e6);
    assert.equal(written(132.4142e6, large), "132.41");
    assert.equal(large.unit, "MW");
    assert.equal(energyScale(3.85e6).unit, "kWh");
    assert.equal(percent(0.584, 1), "58.4 %");
    assert.equal(duration(11_700), "3 h 15 min");
    assert.equal(age(7.4), "7 s old");
    assert.equal(age(NaN), "never read");
  },
};

let failed = 0;
for (const [name, run] of Object.entries({ ...tests, ...tree })) {
  try {
    await run();
    console.log(`ok    ${name}`);
  } catch (error) {
    failed += 1;
    console.error(`FAIL  ${name}\n${error.stack}`);
  }
}
process.exit(failed === 0 ? 0 : 1);
