"""Observer `prometheus`: figures to scrape."""
