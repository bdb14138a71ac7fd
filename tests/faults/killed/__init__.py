"""Engines that die by SIGKILL: what one does in its life, and what must be true of what it leaves behind."""
