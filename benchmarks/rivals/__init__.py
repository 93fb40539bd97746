"""What a competent user would write, or install, instead of compiling a spec."""
