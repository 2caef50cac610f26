{
  "targets": [{
    "target_name": "fovea",
    "type": "none",
    "actions": [{
      "action_name": "cmake",
      "inputs": ["CMakeLists.txt"],
      "outputs": ["<(PRODUCT_DIR)/fovea.node"],
      "action": ["node", "scripts/gypAction.mjs", "<(PRODUCT_DIR)"]
    }]
  }]
}
