"""Words that trackers and hosts use for states, types and environments, in the languages that teams name them in.

German, French, Spanish, Portuguese, Italian, Dutch, Polish, Russian, Japanese, Chinese and Korean, beside English. They are
only proposed: nothing is mapped by them. `*` stands for any ending. Words with two usual meanings ("pendiente", "incidencia",
"pronto") are left out.
"""

from __future__ import annotations

from aether_tui.config import Category, Environment, ItemType, Phase

# In the order in which they are tried: a state such as "Ready for review" waits, whatever else it says.
CATEGORIES: tuple[tuple[Category, str], ...] = (
    ("queue", "準備完了, 未完了, 未解決, 再オープン"),
    ("cancelled", """
        cancel*, wont, won, duplicate*, reject*, declin*, invalid, abandon*, obsolete,
        abgebrochen, storniert, verworfen, abgelehnt, hinfällig, entfällt, duplikat, annul*, rejet*, refus*, doublon, sans suite,
        anulad*, descartad*, rechazad*, duplicad*, rejeitad*, recusad*, scartat*, rifiutat*, duplicat*, geannuleerd, afgewezen,
        vervallen, anulowan*, odrzucon*, porzucon*, отмен*, отклон*, дубл*, キャンセル, 中止, 却下, 取り下げ, 重複, 対応しない, 見送り,
        取消, 拒绝, 作废, 废弃, 重复, 취소, 중복, 반려"""),
    ("wait", """
        block*, wait*, hold, pending, paused, stalled, ready for, ready to, await*, external,
        blockiert, wart*, pausiert, angehalten, zurückgestellt, bereit für, bereit zum, bereit zur, bloqu*, en attente, en pause,
        suspend*, prêt pour, prêt à, en espera, esperando, pausad*, listo para, aguard*, em espera, suspens*, pronto para, bloccat*,
        in attesa, sospes*, pronto per, geblokkeerd, wacht*, klaar voor, zablokowan*, oczekuj*, wstrzyman*, gotowe do, czeka,
        блокир*, заблокир*, ожида*, приостанов*, готово к, 待ち, 保留, ブロック, 等待, 阻塞, 暂停, 挂起, 대기, 보류, 차단"""),
    ("done", """
        done, closed, resolved, complete*, released, shipped, deployed, live, finished, verified,
        erledigt, fertig, abgeschlossen, geschlossen, gelöst, beendet, ausgeliefert, veröffentlicht, umgesetzt, termin*, fini, finie,
        clos, close, clôturé*, fermé*, résolu*, livré*, achevé*, hecho, hecha, cerrad*, resuelt*, completad*, finalizad*, entregad*,
        publicad*, listo, concluíd*, feito, fechad*, resolvid*, entregue, fatto, completat*, chius*, risolt*, conclus*, rilasciat*,
        gereed, klaar, afgerond, gesloten, opgelost, voltooid, gedaan, gotowe, zrobione, zakończon*, zamknięt*, rozwiązan*, ukończon*,
        wdrożon*, готово, выполнен*, закрыт*, решен*, завершен*, 完了, 終了, 解決, クローズ, 済み, 完成, 关闭, 已解决, 已发布, 上线,
        완료, 종료, 해결, 닫힘"""),
    ("active", """
        progress, doing, develop*, implement*, coding, build*, review*, test*, qa, validat*, investigat*, design*, measur*, started,
        working, discovery, research*,
        arbeit, bearbeitung, entwicklung, umsetzung, laufend, läuft, begonnen, prüfung, überprüfung, abnahme, en cours,
        développement, réalisation, revue, relecture, recette, démarr*, traitement, en curso, progreso, desarrollo, revisión, pruebas,
        en proceso, haciendo, andamento, progresso, desenvolvimento, revisão, fazendo, execução, em curso, in corso, lavorazione,
        sviluppo, revisione, collaudo, bezig, uitvoering, behandeling, ontwikkeling, beoordeling, w toku, w trakcie, realizacj*,
        przegląd*, в работе, разработк*, тестир*, проверк*, ревью, 進行中, 作業中, 対応中, 処理中, 開発中, 実装中, レビュー, テスト,
        確認中, 着手, 进行中, 开发中, 处理中, 测试, 评审, 审核中, 진행, 작업, 검토, 개발"""),
    ("queue", """
        todo, to do, ready, selected, planned, next, scheduled, accepted, approved, open, reopen*,
        offen, zu erledigen, geplant, eingeplant, bereit, ausgewählt, wiedereröffnet, neu eröffnet, à faire, à traiter, ouvert*, prêt,
        planifi*, sélectionné*, rouvert*, por hacer, abiert*, seleccionad*, reabiert*, a fazer, para fazer, abert*, planejad*,
        selecionad*, reabert*, da fare, apert*, pianificat*, riapert*, te doen, gepland, geselecteerd, heropend, do zrobienia, otwart*,
        zaplanowan*, wybran*, do realizacji, открыт*, запланир*, сделать, к выполнению, 未着手, 未対応, 未処理, オープン, 予定, やること,
        待办, 未开始, 打开, 待处理, 计划, 就绪, 할 일, 열림, 예정"""),
    ("backlog", """
        backlog, icebox, inbox, triage, new, idea*, someday, later, funnel, proposed,
        neu, neue, idee, ideen, eingang, vorgeschlagen, nouveau, nouvelle, idée*, proposé*, nuevo, nueva, propuest*, novo, nova, ideia*,
        propost*, nuovo, nuova, nieuw, voorgesteld, nowe, nowy, pomysł*, zaproponowan*, нов*, иде*, бэклог, 新規, バックログ, アイデア,
        受付, 新建, 积压, 需求池, 想法, 백로그, 아이디어"""),
)  # fmt: skip
PHASES: tuple[tuple[Phase, str], ...] = (
    ("measure", """measur*, monitor*, observ*, experiment*, messung, messen, beobacht*, mesure*, medición, medição, misurazione,
        pomiar*, 計測, 効果測定, 度量, 측정"""),
    ("release", """ready to release, ready for release, releas*, deploy*, staging, rollout, launch*, auslieferung, freigabe,
        veröffentlich*, mise en production, déploiement, livraison, despliegue, lanzamiento, implantação, lançamento, rilasci*,
        uitrol, wdroż*, релиз*, リリース, デプロイ, 发布, 上线, 배포"""),
    ("validation", """validat*, discovery, research*, interview*, prototyp*, explor*, validierung, erkund*, validación,
        descubrimiento, investigación, validação, descoberta, pesquisa, validazione, walidacj*, 検証, 调研, 검증"""),
    ("build", "review*, test*, qa, prüfung, überprüfung, abnahme, revue, relecture, recette, revisión, pruebas, revisão, レビュー, テスト"),
    ("specification", """spec*, refin*, groom*, design*, todo, to do, ready, selected, planned, shap*, next, spezifi*, konzept*,
        anforderung*, verfeiner*, spécif*, conception, affinage, especific*, refinamiento, refinamento, specyfik*, analiz*, 設計, 仕様,
        設計中, 设计, 설계"""),
    ("build", "progress, doing, develop*, implement*, coding, build*, block*, wait*, started, hold"),
    ("learn", "done, closed, resolved, complete*, shipped, live, learn*, decided"),
    ("ideation", "backlog, icebox, inbox, triage, new, idea*, someday, funnel, proposed, open"),
)  # fmt: skip
PHASE_OF: dict[Category, Phase] = {
    "backlog": "ideation", "queue": "specification", "active": "build", "wait": "build", "done": "learn",
}  # fmt: skip
"""The phase of a state whose words say none, by its category."""
NOT_IN: dict[Category, tuple[Phase, ...]] = {
    "backlog": ("build", "release", "measure", "learn"), "queue": ("measure", "learn"), "active": ("learn",),
    "wait": ("learn",), "done": ("ideation", "validation", "specification", "build"),
}  # fmt: skip
"""Phases that a state of a category is not in, whatever its words say."""
TYPES: tuple[tuple[ItemType, str], ...] = (
    ("incident", """incident*, outage*, störung, vorfall, ausfall, zwischenfall, panne*, interruption, incidente*, interrupción,
        interrupção, storing, awaria, incydent*, инцидент*, авария, сбой, 障害, インシデント, 事故, 장애, 인시던트"""),
    ("bug", """bug*, defect*, fault, fehler*, defekt, mangel, bogue*, anomalie*, défaut, erreur, error, fallo, defecto, erro, defeito,
        falha, difetto, errore, anomalia, fout, błąd, błędy, usterka, баг, ошибка, дефект, バグ, 不具合, 欠陥, 缺陷, 故障, 错误, 버그,
        결함, 오류"""),
    ("chore", """task*, subtask*, chore*, maintenance, aufgabe*, unteraufgabe*, teilaufgabe*, wartung, dokumentation, tâche*, dette,
        documentation, tarea*, subtarea*, mantenimiento, documentación, tarefa*, subtarefa*, manutenção, compito, attività, taak, taken,
        subtaak, onderhoud, zadanie, podzadanie, задача, подзадача, タスク, 保守, 任务, 하위 작업, 작업"""),
    ("feature", """feature*, story, stories, epic*, enhancement*, improvement*, requirement*, funktion, verbesserung, erweiterung,
        anforderung*, récit*, histoire*, fonctionnalité*, amélioration*, évolution*, épopée, historia*, funcionalidad*, mejora*, épica,
        história*, funcionalidade*, melhoria*, épico, storia, funzionalità, miglioramento, epica, verhaal, functie, verbetering,
        historyjka, funkcja, usprawnienie, ulepszenie, epik, история, улучшение, эпик, ストーリー, 機能, 改善, エピック, 要望, 故事,
        需求, 新功能, 改进, 史诗, 스토리, 기능, 개선, 에픽"""),
    ("opportunity", """opportunit*, idea*, idee, ideen, idée*, opportunité*, oportunidad*, ideia*, oportunidade*, opportunità, pomysł,
        идея, アイデア, 機会, 想法, 机会, 아이디어"""),
)  # fmt: skip
ENVIRONMENTS: tuple[tuple[Environment, str], ...] = (
    ("staging", """staging, preprod*, vorproduktion, abnahme, integration, recette, qualification, homolog*, preproduc*, aceptación,
        collaudo, preproduzione, acceptatie, acceptance, akceptac*, przedprodukc*, предпрод*, стейджинг, ステージング, 検証, 预发,
        스테이징"""),
    ("production", """prod, production, produktion, produktiv, echtbetrieb, producción, produção, produzione, productie, produkcja,
        produkcyjn*, прод, продакшн, боев*, 本番, 生产, 프로덕션, 운영"""),
    ("dev", """dev, develop*, test*, entwicklung, développement, desarrollo, pruebas, desenvolvimento, sviluppo, ontwikkeling,
        deweloper*, разработк*, тест*, 開発, テスト, 开发, 测试, 개발"""),
)  # fmt: skip
TEAM_LABELS = "team, squad, crew, tribe, equipe, équipe, equipo, zespół, команда, チーム, 团队, 팀"
FEATURE_LABELS = """feature, feat, epic, area, component, module, product, capability, bereich, modul, funktion, komponente,
    fonctionnalité, composant, domaine, funcionalidad, área, componente, módulo, produto, funzionalità, obszar, moduł, модуль, 機能, 模块"""
