"""The console process: records history, answers the API and serves the pages people watch."""
