"""One file a step, named by what it does; its `revision` says where it belongs."""
