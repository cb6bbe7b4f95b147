"""Parts without hardware, offered as plugins named `fake`: for tests, for a first run, and as worked examples."""
