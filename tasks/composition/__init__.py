"""L2 by a model: questions that it composes and programs prove."""
