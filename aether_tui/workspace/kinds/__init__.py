"""Kinds of authored documents, one module each; `documents.KINDS` names them."""
