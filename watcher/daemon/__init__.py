"""The daemon: starts the services, runs jobs, serves HTTP, and stops in order."""
