// Names what host.h imports, so that emcc knows it and anything else undefined stays a link error. The product
// has no JavaScript of emscripten's: there the page gives the real functions to WebAssembly.instantiate. In
// test programs, which have, clocks and randomness are Node's, and there is no storage: they use port/sim.
mergeInto(LibraryManager.library, {
  gt_wasm_open: function () {
    return 61; // GOAT_IO
  },
  gt_wasm_submit: function () {
    return 61;
  },
  gt_wasm_close: function () {},
  gt_wasm_monotonic_us: function () {
    return performance.now() * 1000;
  },
  gt_wasm_wall_ms: function () {
    return Date.now();
  },
  gt_wasm_random: function (bytes, len) {
    require('crypto').randomFillSync(HEAPU8, bytes, len);
    return 1;
  },
});
