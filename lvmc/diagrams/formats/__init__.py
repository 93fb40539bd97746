"""Pictures as files: SVG, PNG, PDF, DOT and Mermaid."""
