"""Jobs that ship a store's log to files, rewrite those files, and trim the log behind them."""
