"""The written report: prompts, gates, template, rendering, and the jobs that write it. Imports scans and below."""
