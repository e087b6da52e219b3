"""How fast and how large this project is beside the others; `README.md` says how to run it."""
