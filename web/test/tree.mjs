// Levels of detail and layout: nothing is lost, nothing lies on anything, whatever the site.
import assert from "node:assert/strict";
import { runnerImport } from "vite";
import { fileURLToPath } from "node:url";

const load = async (path) => (await runnerImport(fileURLToPath(new URL(path, import.meta.url)))).module;

const place = (id, parent, more = {}) => ({
  ...{ id, parent, symbol: "breaker", label: "Breaker", order: 3, pod: "", box: false, metered: false },
  ...{ computed: false, rating_w: 1e6, rating_a: 100, accelerators: 0, standby: "", shown: [], ...more },
});

/** A feed with transformers, each with breakers, each with a rack. */
function site(transformers, breakers) {
  const places = [place("grid", -1, { symbol: "grid", metered: true })];
  for (let t = 0; t < transformers; t++) {
    const tx = places.push(place(`tx${t}`, 0, { symbol: "transformer" })) - 1;
    for (let b = 0; b < breakers; b++) {
      const q = places.push(place(`q${t}-${b}`, tx)) - 1;
      const rack = { symbol: "rack", label: "Rack", box: true, pod: `pod${t % 4}`, accelerators: 72 };
      places.push(place(`pod${t % 4}/r${t}-${b}`, q, rack));
    }
  }
  return places;
}

export default {
  async "every place is on the drawing once, or in one that is folded"() {
    const { Tree } = await load("../src/lib/tree.ts");
    const { fold, leaves, walk } = await load("../src/lib/fold.ts");
    for (const [transformers, breakers] of [[1, 1], [1, 8], [3, 5], [80, 12]]) {
      const tree = new Tree(site(transformers, breakers));
      for (const columns of [1, 2, 7, 12, 40]) {
        const items = fold(tree, [], { columns, levels: 6 });
        assert.ok(leaves(items) <= columns, `${leaves(items)} of ${columns}`);
        const drawn = walk(items).flatMap((item) => item.members);
        assert.equal(new Set(drawn).size, drawn.length);
        const racks = walk(items)
          .filter((item) => item.children.length === 0)
          .reduce((sum, item) => sum + item.members.reduce((all, i) => all + tree.accelerators[i], 0), 0);
        assert.equal(racks, 72 * transformers * breakers);
      }
    }
  },

  async "every item can be reached by its address, down to a single rack"() {
    const { Tree } = await load("../src/lib/tree.ts");
    const { fold, resolve, trail, walk } = await load("../src/lib/fold.ts");
    const tree = new Tree(site(80, 12));
    let path = [];
    for (let clicks = 0; ; clicks++) {
      assert.ok(clicks < 12);
      const items = fold(tree, resolve(tree, path), { columns: 7, levels: 6 });
      const last = walk(items).filter((item) => item.children.length === 0).at(0);
      if (last.members.length === 1 && tree.places[last.members[0]].box) break;
      const to = trail(items, last, path);
      assert.deepEqual(resolve(tree, to), last.members);
      assert.ok(to.length > path.length);
      path = to;
    }
  },

  async "nothing lies on anything and nothing leaves the drawing"() {
    const { Tree } = await load("../src/lib/tree.ts");
    const { fold } = await load("../src/lib/fold.ts");
    const { BOX_HEIGHT, layout, roomFor } = await load("../src/lib/layout.ts");
    for (const [transformers, breakers] of [[1, 1], [2, 4], [80, 12]]) {
      const tree = new Tree(site(transformers, breakers));
      for (const [width, height] of [[760, 500], [1180, 760], [400, 300]]) {
        const drawing = layout(tree, fold(tree, [], roomFor(width, height)), width, height);
        const boxes = drawing.spots.filter((spot) => spot.box).sort((a, b) => a.left - b.left);
        boxes.slice(1).forEach((box, i) => assert.ok(box.left >= boxes[i].left + drawing.column - 10));
        for (const spot of drawing.spots) {
          assert.ok(spot.width >= 60, `${spot.item.key}: ${spot.width}`);
          assert.ok(spot.x + spot.width <= drawing.width);
          assert.ok(spot.y + (spot.box ? BOX_HEIGHT : 24) <= drawing.height);
        }
        assert.ok(drawing.width <= width + 1 && drawing.height <= height + 1, `${drawing.width} x ${drawing.height}`);
      }
    }
  },
};
