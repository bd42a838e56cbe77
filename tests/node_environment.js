// Linked into test programs for WASM: gives them the environment of Node's process (GOAT_DATA, GOAT_SEED),
// which emscripten would replace by one of its own.
Module['preRun'] = [
  function () {
    if (typeof ENV !== 'undefined') Object.assign(ENV, process.env);
  },
];
