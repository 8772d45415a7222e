"""The physics of each kind of device, a folder or a file each; `registry` finds them."""
